"""Who looks at a page, and whether they may start and cancel runs: a runner may, a viewer may not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from failtrace.errors import NotAllowed, SettingsError
from failtrace.login_seen import login_was_seen, remember_login
from failtrace.operating_user import operating_user
from failtrace.settings import Settings

_UNREADABLE: Final = "secrets.toml cannot be read; mend it and reload this page."


@dataclass(frozen=True, slots=True)
class Visitor:
    """An e-mail address where the dashboard has a login, else the account that it runs under."""

    name: str
    may_run: bool

    def check_may_run(self, deed: str) -> None:
        """Raise NotAllowed for a viewer; `deed` says what was tried."""
        if not self.may_run:
            raise NotAllowed(
                f"{self.name} may look but not {deed}; whoever starts the dashboard names runners in FAILTRACE_RUNNERS."
            )


def has_login() -> bool:
    """Whether [auth] in secrets.toml asks for one. Raises SettingsError where that cannot be told: it may.

    A file that lost its [auth] while the server runs is one that is just being saved, or was cut: only a restart ends
    a login.
    """
    try:
        if st.secrets.load_if_toml_exists():
            asked = "auth" in st.secrets
        elif any(Path(file).exists() for file in st.get_option("secrets.files")):
            raise SettingsError(_UNREADABLE)
        else:
            asked = False
    # A folder of that name, bytes that are no UTF-8, a file that went between two looks.
    except (OSError, ValueError) as error:
        raise SettingsError(_UNREADABLE) from error
    if asked:
        remember_login()
    elif login_was_seen():
        raise SettingsError(
            "secrets.toml no longer asks for a login; write [auth] into it again and reload this page, or restart the "
            "dashboard to go on without one."
        )
    return asked


def visitor() -> Visitor:
    """Whoever this session belongs to. Raises SettingsError where that cannot be told.

    Without a login only this machine can ask, so it is the one who started the dashboard: a runner. With one, an
    address that the provider does not vouch for is nobody's, and nobody is a viewer.
    """
    if not has_login():
        return Visitor(operating_user(), may_run=True)
    email = st.user.get("email")
    if not st.user.is_logged_in or not isinstance(email, str) or not _is_vouched_for():
        return Visitor("somebody without a verified address", may_run=False)
    runners = {runner.casefold() for runner in Settings.load().runners}
    return Visitor(email, may_run=email.casefold() in runners)


def _is_vouched_for() -> bool:
    """Whether the provider says that the address is this user's, or says nothing of it."""
    # Microsoft Entra sends no such claim. Some providers send it as text.
    claim = st.user.get("email_verified", True)
    return claim is True or (isinstance(claim, str) and claim.casefold() == "true")
