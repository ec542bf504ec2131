"""`failtrace dashboard`: start the pages on this machine."""

from __future__ import annotations

import os
import socket
import sys
import tomllib
from errno import EADDRINUSE
from importlib.util import find_spec
from pathlib import Path

import click

import failtrace
from failtrace.cli.output import print_line
from failtrace.errors import FailtraceError, InputError, SettingsError
from failtrace.login_seen import remember_login

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
    look_for_login()
    look_for_port(port)
    print_line(f"failtrace dashboard on http://{ADDRESS}:{port} (Ctrl-C ends it)", err=True)
    os.execv(sys.executable, command_line(port))  # noqa: S606  no shell, our own words


def command_line(port: int) -> list[str]:
    """The words of the server's process. The address stands here, above every config.toml and STREAMLIT_ variable."""
    server = [sys.executable, "-m", "streamlit", "run", str(app_path())]
    return [*server, f"--server.address={ADDRESS}", f"--server.port={port}"]


def look_for_login() -> None:
    """Remember a login before anybody asks. Raises SettingsError for a secrets.toml that it cannot read."""
    # Streamlit takes half a second to import, and no other command needs it.
    from streamlit import config

    # As `streamlit run` does: the folder of app.py may have a secrets.toml, too.
    config._main_script_path = str(app_path())
    for file in config.get_option("secrets.files"):
        if not file.endswith(".toml") or not os.path.lexists(file):
            continue
        try:
            secrets = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(f"The secrets {file!r} cannot be read ({error}); mend or remove them.") from error
        if "auth" in secrets:
            remember_login()


def look_for_port(port: int) -> None:
    """Raise InputError where nobody can listen on it: Streamlit would say so in words of its own, after ours."""
    with socket.socket() as probe:
        # As the server will do, so that a port of one that has just ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            why = "is taken by another program" if error.errno == EADDRINUSE else f"cannot be had ({error.strerror})"
            raise InputError(
                f"The dashboard cannot start: port {port} on {ADDRESS} {why}; give another with --port."
            ) from error


def app_path() -> Path:
    """app.py: at the top of a checkout, inside the package of a wheel."""
    package = Path(failtrace.__file__).parent
    for candidate in (package / "dashboard" / "app.py", package.parent / "app.py"):
        if candidate.is_file():
            return candidate
    raise FailtraceError(f"The dashboard's app.py is not beside {str(package)!r}; install failtrace anew.")
