"""The account that this process runs under: who acts, where nobody has logged in."""

import getpass
import os
import sys


def operating_user() -> str:
    """Its name; `uid 1000` for an account without one. Not from the environment, where anybody may be written."""
    if sys.platform == "win32":
        return getpass.getuser()
    import pwd  # Windows has none

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
