"""Who looks at a page, and whether they may start and cancel runs: a runner may, a viewer may not."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from failtrace.errors import NotAllowed, SettingsError
from failtrace.operating_user import operating_user
from failtrace.settings import Settings


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
    """Whether [auth] in secrets.toml asks for one. Raises SettingsError for a file that cannot be read: it may."""
    if st.secrets.load_if_toml_exists():
        return "auth" in st.secrets
    if any(Path(file).exists() for file in st.get_option("secrets.files")):
        raise SettingsError("secrets.toml cannot be read; mend it and reload this page.")
    return False


def visitor() -> Visitor:
    """Whoever this session belongs to. Raises SettingsError where that cannot be told.

    Without a login only this machine can ask, so it is the one who started the dashboard: a runner. With one, an
    address that the provider does not vouch for is nobody's, and nobody is a viewer.
    """
    if not has_login():
        return Visitor(operating_user(), may_run=True)
    email = st.user.get("email")
    if not st.user.is_logged_in or not isinstance(email, str) or st.user.get("email_verified") is False:
        return Visitor("somebody without a verified address", may_run=False)
    runners = {runner.casefold() for runner in Settings.load().runners}
    return Visitor(email, may_run=email.casefold() in runners)
