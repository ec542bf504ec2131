"""A home with a mirror in it, and pages that run as the first request of a fresh server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from failtrace.mirror.mirror import Mirror
from failtrace.ui import bootstrap

ROOT = Path(__file__).parents[2]
OpenPage = Callable[..., AppTest]


@pytest.fixture
def mirror(clean_environment: Path) -> Iterator[Mirror]:
    clean_environment.mkdir(parents=True, exist_ok=True)
    with Mirror.open(clean_environment / "mirror.sqlite") as opened:
        yield opened


@pytest.fixture
def open_page(mirror: Mirror) -> Iterator[OpenPage]:
    """`open_page("failure", failure_id=…)`: the page's file alone, without app.py, already run once."""
    del mirror

    def run(name: str, **params: str | list[str]) -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=30)
        for key, value in params.items():
            page.query_params[key] = value
        return page.run()

    st.cache_resource.clear()
    yield run
    bootstrap.services().close()
    st.cache_resource.clear()
