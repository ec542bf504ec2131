"""Install a Chromium for the browser tests where that can be done; say in one sentence what to do where it cannot.

Run by `make test`. Order: one that is there; Debian's package, as root; the build that Playwright brings.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

PLACES = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome on this machine; None where there is none."""
    installed = next((place for place in PLACES if Path(place).exists()), None) or shutil.which("chromium")
    if installed is not None:
        return installed
    try:
        with sync_playwright() as playwright:
            bundled = playwright.chromium.executable_path
    except Error:
        return None
    return bundled if Path(bundled).exists() else None


def install() -> None:
    """Debian's package where we are root, else Playwright's own build."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, **quiet)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


if __name__ == "__main__":
    if find_chromium() is None:
        install()
    if find_chromium() is None:
        print(
            "The browser tests need Chromium and it could not be installed: install the package `chromium` "
            "(Debian: apt-get install chromium; macOS: brew install --cask google-chrome) and run `make test` again."
        )
