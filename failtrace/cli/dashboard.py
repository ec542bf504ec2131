"""`failtrace dashboard`: start the pages on this machine."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click

import failtrace
from failtrace.cli.output import print_line
from failtrace.errors import FailtraceError

ADDRESS = "127.0.0.1"
"""The pages can start code: nobody but this machine may ask for them."""


@click.command("dashboard")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help=f"Port on {ADDRESS}.")
def dashboard(port: int) -> None:
    """Start the dashboard on this machine; Ctrl-C ends it."""
    if find_spec("streamlit") is None:
        raise FailtraceError(
            "The dashboard needs Streamlit, which is not installed; run `pip install 'failtrace[dashboard]'`."
        )
    print_line(f"failtrace dashboard on http://{ADDRESS}:{port} (Ctrl-C ends it)", err=True)
    os.execv(sys.executable, command_line(port))  # noqa: S606  no shell, our own words


def command_line(port: int) -> list[str]:
    """The words of the server's process. The address stands here, above every config.toml and STREAMLIT_ variable."""
    server = [sys.executable, "-m", "streamlit", "run", str(app_path())]
    return [*server, f"--server.address={ADDRESS}", f"--server.port={port}"]


def app_path() -> Path:
    """app.py: at the top of a checkout, inside the package of a wheel."""
    package = Path(failtrace.__file__).parent
    for candidate in (package / "dashboard" / "app.py", package.parent / "app.py"):
        if candidate.is_file():
            return candidate
    raise FailtraceError(f"The dashboard's app.py is not beside {str(package)!r}; install failtrace anew.")
