"""That a login was asked for, remembered by the dashboard's process for as long as it lives.

In its environment: one for all threads and sessions, and what the command saw outlives the exec of the server.
"""

import os
from typing import Final

_NAME: Final = "FAILTRACE_LOGIN_SEEN"


def remember_login() -> None:
    """From now on, this process had a login."""
    os.environ[_NAME] = "1"


def login_was_seen() -> bool:
    """Whether this process ever had one."""
    return _NAME in os.environ
