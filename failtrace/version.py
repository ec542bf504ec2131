"""Which failtrace this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def package_version() -> str:
    """The installed version of failtrace; `0` where it runs from a folder that was never installed."""
    try:
        return version("failtrace")
    except PackageNotFoundError:
        return "0"
