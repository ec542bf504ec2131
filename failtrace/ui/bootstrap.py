"""The first call of every page: its settings, navigation, login and services.

On a fresh server a deep link runs the page's file without app.py (Streamlit looks into pages/ until the first
`st.navigation`), so whatever a page needs, it asks for here, and app.py only routes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from failtrace.errors import FailtraceError
from failtrace.mirror.rescue import set_aside
from failtrace.services import Services, open_services
from failtrace.ui.notices import stop_with
from failtrace.ui.visitor import has_login, visitor

_ASSETS: Final = Path(__file__).parent / "assets"
_PACKAGE: Final = Path(__file__).parents[1]
_ALONE: Final = "bootstrap-alone"
_NOTED: Final = "login-noted"
_LOOK_S: Final = 2
_PAGES: Final = {
    "overview": ("Overview", ":material/monitoring:"),
    "run": ("Run", ":material/play_circle:"),
    "failures": ("Failures", ":material/list_alt:"),
    "failure": ("Open a failure", ":material/manage_search:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "health": ("Health", ":material/monitor_heart:"),
}
_routed: ContextVar[bool] = ContextVar("routed", default=False)


@contextmanager
def routed() -> Iterator[None]:
    """While app.py runs a page, the page need not set up navigation itself."""
    token = _routed.set(True)
    try:
        yield
    finally:
        _routed.reset(token)


def navigation() -> StreamlitPage:
    """The page that the address names. No icons here: Streamlit would fetch a favicon from another host."""
    pages = [_page_of(name) for name in _PAGES]
    alias = st.Page(_to_overview, title="Overview", url_path="overview", visibility="hidden")
    return st.navigation([*pages, alias], position="hidden")


def page(name: str) -> None:
    """Page settings, navigation and login gate, by whichever way the page was reached."""
    title, _ = _PAGES[name]
    st.set_page_config(page_title=f"{title} · failtrace", page_icon=_ASSETS / "mark.svg", layout="wide")
    if not _routed.get():
        _reroute()
    _gate()
    _sidebar()
    _note_login()


def name_tab(name: str) -> None:
    """The browser tab says what is open in it: with many failures open they would look alike."""
    st.set_page_config(page_title=f"{name} · failtrace")


def services() -> Services:
    """The store, registry and settings, opened once for a mirror file; one friendly sentence where that cannot be."""
    try:
        return _services()
    except FailtraceError as error:
        stop_with("failtrace cannot open its files.", str(error))


def link_to(name: str, label: str, **params: str) -> None:
    """A link to another page, in place, with these parameters in its address; `label` is ours."""
    st.page_link(_page_of(name), label=label, icon=_PAGES[name][1], query_params=params)


def _are_current(opened: Services) -> bool:
    """Whether they go on; they do not when another process has rescued the mirror, and are closed then."""
    if opened.is_outdated():
        opened.close()
        return False
    return True


@st.cache_resource(show_spinner=False, validate=_are_current)
def _services() -> Services:
    opened = open_services()
    opened.store.start_delivery(sync=True)
    return opened


def _pages_folder() -> Path:
    """`pages/`: a wheel carries it inside the package, a checkout beside it."""
    packed = _PACKAGE / "dashboard" / "pages"
    return packed if packed.is_dir() else _PACKAGE.parent / "pages"


def _page_of(name: str) -> StreamlitPage:
    title, _ = _PAGES[name]
    path = _pages_folder() / f"{name}.py"
    if name == "overview":
        return st.Page(path, title=title, default=True, url_path="")
    return st.Page(path, title=title, url_path=name)


def _to_overview() -> None:
    st.switch_page(_page_of("overview"), query_params=st.query_params.to_dict())


def _reroute() -> None:
    """Begin again through app.py, once a session: a widget made before would not be the same one after.

    Where that leads back here, the page stands alone (a test of the page), and goes on as it is.
    """
    navigation()
    if _ALONE not in st.session_state:
        st.session_state[_ALONE] = True
        st.rerun()


def _sidebar() -> None:
    st.logo(_ASSETS / "logo.svg", size="large", icon_image=_ASSETS / "mark.svg")
    with st.sidebar:
        for name, (title, icon) in _PAGES.items():
            st.page_link(_page_of(name), label=title, icon=icon, width="stretch")
        _tell_trouble()
        if has_login():
            st.text(visitor().name)
            st.button("Log out", icon=":material/logout:", on_click=st.logout)


def _note_login() -> None:
    """Every login once, however many tabs follow it: the provider says in the token when it was."""
    if not has_login() or _NOTED in st.session_state:
        return
    services().store.mirror.note_once("logged in", f"token of {st.user.get('iat', 'an unknown time')}", visitor().name)
    st.session_state[_NOTED] = True


def _tell_trouble() -> None:
    """On every page: what somebody has to look at, with the page that says more."""
    try:
        opened = _services()
        store = opened.store
        paused = store.mirror.outbox.paused() if store.backend.remote else None
    except FailtraceError:
        # The page itself says that nothing can be opened.
        return
    if set_aside(store.mirror.path):
        st.warning("A damaged mirror was set aside. Health says what became of it.", icon=":material/healing:")
    if paused:
        st.warning("Delivery to Cosmos DB is paused. Health says why.", icon=":material/cloud_off:")
    _follow(opened)


@st.fragment(run_every=_LOOK_S)
def _follow(drawn: Services) -> None:
    """Parts of an open tab hold the mirror they were drawn from: after a rescue the page is run with the new one."""
    try:
        current = _services()
    except FailtraceError:
        # The page's own next question says what is wrong.
        return
    if current is not drawn:
        st.rerun()


def _gate() -> None:
    """With [auth] in secrets.toml nobody gets past this line without a login (OpenID Connect)."""
    try:
        if not has_login():
            return
    except FailtraceError as error:
        stop_with("The login cannot be set up.", str(error))
    if st.user.is_logged_in:
        return
    st.title("failtrace", anchor=False)
    st.text("This dashboard asks for a login.")
    st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)
    st.stop()
