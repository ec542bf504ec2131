"""What a page's address says, as small frozen values: read leniently, written exactly.

A page reads only its own parameters: Back may leave another page's in the address.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2s
from typing import Final, Self, get_args
from urllib.parse import urlencode

from failtrace.contracts import FailureType
from failtrace.exchange.pasted_id import id_in
from failtrace.mirror.views import FailureFilter, Sort

Said = Mapping[str, str | Sequence[str]]
"""The parameters of an address: Streamlit's, or a plain dictionary."""

MOST_TEXT: Final = 500
"""Characters of a search."""
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
LIST: Final = "list_"
"""Before the parameters of the list that a failure was opened from."""

_STEP_ID: Final = re.compile(r"[0-9a-f]{16}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SPACED_OFFSET: Final = re.compile(r"(T\S*) (?=\d\d:?\d\d$)")
_PLACE: Final = re.compile(r"([0-9a-f]{8})\.([0-9]{1,9})\.([0-9a-fx.p+-]{3,48})")
_LONGEST: Final = 4096
_MOST_VALUES: Final = 100
_QUOTED: Final = 40
"""Characters of what cannot be understood that are told again."""


class TimeRange(StrEnum):
    """How far back a page looks."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"

    def since(self, now: datetime) -> datetime | None:
        """The start of the range that ends now; None reaches back to the beginning."""
        span = _SPANS.get(self)
        return now - span if span else None


_SPANS = {
    TimeRange.HOUR: timedelta(hours=1),
    TimeRange.DAY: timedelta(days=1),
    TimeRange.WEEK: timedelta(days=7),
    TimeRange.MONTH: timedelta(days=30),
}


def now() -> datetime:
    """The one clock of the pages, UTC."""
    return datetime.now(UTC)


def moment(text: str) -> datetime | None:
    """A time in an address, UTC where it names no other zone; None for what is no time."""
    # A "+" that nobody escaped arrives as a space.
    spelt = _SPACED_OFFSET.sub(r"\1+", text.strip())
    try:
        read = datetime.fromisoformat(spelt)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class RunAddress:
    """`/run?run_id=…&against=…`"""

    run_id: str = ""
    against: str = ""
    """An earlier run that it is compared with."""

    @classmethod
    def read(cls, params: Said) -> Self:
        """From the address; what cannot be a run_id counts as none."""
        return cls(_plain(params, "run_id"), _plain(params, "against"))

    @property
    def link(self) -> str:
        """Relative, so that it holds under any base path."""
        return _link("run", {"run_id": self.run_id, "against": self.against})


@dataclass(frozen=True, slots=True)
class FailuresAddress:
    """`/failures?q=…&type=…&subject=…&range=…&run_id=…&fingerprint=…&from=…&to=…&sort=…`"""

    text: str = ""
    failure_types: tuple[FailureType, ...] = ()
    subjects: tuple[str, ...] = ()
    range: TimeRange = TimeRange.ALL
    run: RunAddress = field(default_factory=RunAddress)
    fingerprint: str = ""
    since: datetime | None = None
    """Where `since` or `until` is given, `range` counts for nothing."""
    until: datetime | None = None
    sort: Sort = "newest"

    @classmethod
    def read(cls, params: Said, prefix: str = "") -> Self:
        """From the address; of each parameter, what can be understood, and the default where nothing can."""

        def said(name: str) -> tuple[str, ...]:
            return _values(params, prefix + name)

        return cls(
            text=next(iter(said("q")), "")[:MOST_TEXT],
            failure_types=tuple([kind for kind in FailureType if kind in said("type")]),
            subjects=said("subject"),
            range=next((span for span in TimeRange if span in said("range")), TimeRange.ALL),
            run=RunAddress(_plain(params, f"{prefix}run_id")),
            fingerprint=_plain(params, f"{prefix}fingerprint"),
            since=next((read for text in said("from") if (read := moment(text))), None),
            until=next((read for text in said("to") if (read := moment(text))), None),
            sort=next((order for order in SORTS if order in said("sort")), "newest"),
        )

    @property
    def span(self) -> TimeRange:
        """The preset in force: all time where `since` or `until` say otherwise."""
        return TimeRange.ALL if self.since or self.until else self.range

    def filter(self, moment: datetime) -> FailureFilter:
        """What to ask the mirror, for a range that ends at `moment`."""
        return FailureFilter(
            text=self.text.strip(),
            failure_types=self.failure_types,
            subjects=self.subjects,
            run_id=self.run.run_id or None,
            fingerprint=self.fingerprint or None,
            since=self.since or self.span.since(moment),
            until=self.until,
        )

    @property
    def params(self) -> dict[str, str | list[str]]:
        """The parameters that differ from the page's defaults."""
        chosen: dict[str, str | list[str]] = {
            "q": self.text,
            "type": [str(item) for item in self.failure_types],
            "subject": list(self.subjects),
            "range": "" if self.range is TimeRange.ALL else str(self.range),
            "run_id": self.run.run_id,
            "fingerprint": self.fingerprint,
            "from": _spelt(self.since),
            "to": _spelt(self.until),
            "sort": "" if self.sort == "newest" else self.sort,
        }
        return {name: value for name, value in chosen.items() if value}

    @property
    def link(self) -> str:
        """Relative, so that it holds under any base path."""
        return _link("failures", self.params)


def misread(params: Said, sound: Mapping[str, Callable[[str], bool]] | None = None) -> tuple[str, ...]:
    """What an address says that its page cannot follow, as `name=value`; `sound` tells what it can, else as a list.

    It is a stranger's word: cut to some characters, the unprintable ones replaced.
    """
    return tuple(
        [
            f"{name}={_quoted(text)}"
            for name, is_sound in (sound or _SOUND).items()
            for text in dict.fromkeys(_said(params, name)[:_MOST_VALUES])
            if text.strip() and not is_sound(text)
        ]
    )


@dataclass(frozen=True, slots=True)
class ListPlace:
    """`&place=…`: where in a list a page of it begins; it counts for the very list it was made for."""

    after: str = ""
    """The mirror's cursor; empty at the beginning of the list."""
    rows: int = 0
    """How many rows there are on the side of the list to which none is added: before the page, from the newest on after
    its beginning."""

    @classmethod
    def read(cls, params: Said, address: FailuresAddress) -> Self:
        """From the address; the beginning where it is for another list, or none at all."""
        found = _PLACE.fullmatch(next(iter(_values(params, "place")), ""))
        return cls(found[3], int(found[2])) if found and found[1] == _mark(address) else cls()

    def spelt(self, address: FailuresAddress) -> str:
        """The value of `place`."""
        return f"{_mark(address)}.{self.rows}.{self.after}" if self.after else ""


@dataclass(frozen=True, slots=True)
class FailureAddress:
    """`/failure?failure_id=…&step=…`, and the list it was opened from as `list_…`"""

    failure_id: str = ""
    """A trace_id may stand here too."""
    step: str = ""
    within: FailuresAddress | None = None
    """None where it was opened from no list."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id within what somebody typed or pasted: quotes, spaces, a whole link; empty where none is."""
        return cls(id_in(text))

    @classmethod
    def read(cls, params: Said) -> Self:
        """From the address."""
        step = first_said(params, "step")
        listed = any(name.startswith(LIST) for name in params)
        return cls(
            failure_id=cls.parse(first_said(params, "failure_id")).failure_id,
            step=step if _STEP_ID.fullmatch(step) else "",
            within=FailuresAddress.read(params, LIST) if listed else None,
        )

    @property
    def params(self) -> dict[str, str | list[str]]:
        """The parameters that are in use."""
        listed = {"sort": self.within.sort} | self.within.params if self.within else {}
        chosen: dict[str, str | list[str]] = {"failure_id": self.failure_id, "step": self.step}
        return {name: value for name, value in chosen.items() if value} | {
            f"{LIST}{name}": value for name, value in listed.items()
        }

    @property
    def link(self) -> str:
        """Relative, so that it holds under any base path."""
        return _link("failure", self.params)


@dataclass(frozen=True, slots=True)
class CompareAddress:
    """`/compare?left=…&right=…`, a failure_id or trace_id each"""

    left: str = ""
    right: str = ""

    @classmethod
    def read(cls, params: Said) -> Self:
        """From the address; what holds no id counts as none."""
        left, right = [FailureAddress.parse(first_said(params, name)).failure_id for name in ("left", "right")]
        return cls(left, right)

    @property
    def link(self) -> str:
        """Relative, so that it holds under any base path."""
        return _link("compare", {"left": self.left, "right": self.right})


def _said(params: Said, name: str) -> list[str]:
    """All that an address says under a name, as it is."""
    get_all = getattr(params, "get_all", None)
    said = get_all(name) if get_all else params.get(name, ())
    return [said] if isinstance(said, str) else list(said)


def _values(params: Said, name: str) -> tuple[str, ...]:
    """What an address says under a name, each value once; the empty, the huge and what is no Unicode left out."""
    return tuple(dict.fromkeys([text for text in _said(params, name)[:_MOST_VALUES] if _is_text(text)]))


def first_said(params: Said, name: str) -> str:
    """The first text that an address says under a name, whatever it means; empty where there is none."""
    return next(iter(_values(params, name)), "")


def _quoted(text: str) -> str:
    plain = "".join(
        [character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:_QUOTED]]
    )
    return plain if len(text) <= _QUOTED else f"{plain}…"


def _is_text(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and not _SURROGATE.search(text)


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text.strip()) is not None


def _plain(params: Said, name: str) -> str:
    """The first value of letters, digits and a little punctuation, as ids of runs and fingerprints are."""
    return next((value.strip() for value in _values(params, name) if _is_plain(value)), "")


def _spelt(moment: datetime | None) -> str:
    return moment.isoformat().replace("+00:00", "Z") if moment else ""


def _link(page: str, params: Mapping[str, str | Sequence[str]]) -> str:
    query = urlencode({name: value for name, value in params.items() if value}, doseq=True)
    return f"{page}?{query}" if query else page


def _mark(address: FailuresAddress) -> str:
    """Tells one list from another."""
    return blake2s(address.link.encode(), digest_size=4).hexdigest()


_SOUND: Final[Mapping[str, Callable[[str], bool]]] = {
    "q": _is_text,
    "type": lambda text: text in list(FailureType),
    "subject": _is_text,
    "range": lambda text: text in list(TimeRange),
    "run_id": _is_plain,
    "fingerprint": _is_plain,
    "from": lambda text: moment(text) is not None,
    "to": lambda text: moment(text) is not None,
    "sort": lambda text: text in SORTS,
}
