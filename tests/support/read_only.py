"""A folder in which nothing can be written."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """The folder's files, where nothing can be written; whatever the permissions say, root can."""
    if os.geteuid():
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    mounted = folder.with_name("mounted")
    mounted.mkdir()
    if subprocess.run(["mount", "--bind", folder, mounted], capture_output=True, check=False).returncode:
        pytest.skip("needs to mount, or another account than root")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", mounted], check=True)
        yield mounted
    finally:
        subprocess.run(["umount", "--lazy", mounted], check=True)
