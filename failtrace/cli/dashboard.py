"""`failtrace dashboard`: start the pages on this machine."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click

import failtrace
from failtrace.errors import FailtraceError


@click.command("dashboard")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Port on 127.0.0.1.")
def dashboard(port: int) -> None:
    """Start the dashboard on http://127.0.0.1:8501 and stay until Ctrl-C."""
    if find_spec("streamlit") is None:
        raise FailtraceError(
            "The dashboard needs Streamlit, which is not installed; run `pip install 'failtrace[dashboard]'`."
        )
    arguments = [sys.executable, "-m", "streamlit", "run", str(app_path()), f"--server.port={port}"]
    click.echo(f"failtrace dashboard on http://127.0.0.1:{port} (Ctrl-C ends it)", err=True)
    os.execv(sys.executable, arguments)  # noqa: S606  no shell, our own words


def app_path() -> Path:
    """app.py: at the top of a checkout, inside the package of a wheel."""
    package = Path(failtrace.__file__).parent
    for candidate in (package / "dashboard" / "app.py", package.parent / "app.py"):
        if candidate.is_file():
            return candidate
    raise FailtraceError(f"The dashboard's app.py is not beside {str(package)!r}; install failtrace anew.")
