"""The overview's five numbers, each with its change against the time before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from failtrace.mirror.views import Overview, Period
from failtrace.ui.wording import ABOUT, duration, percent

NO_EARLIER_DATA: Final = "no earlier data"
NO_CHANGE: Final = "no change"

_Growth: TypeAlias = Literal["inverse", "off"]
"""What growth is: bad news (Streamlit draws it red), or neither good nor bad."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its change, in words."""

    label: str
    value: str
    change: str
    colour: _Growth
    help: str | None
    """What the label means, where that is not plain."""

    @property
    def arrow(self) -> Literal["auto", "off"]:
        """Only what moved points anywhere."""
        return "off" if self.change in (NO_CHANGE, NO_EARLIER_DATA) else "auto"


def figures(overview: Overview) -> tuple[Figure, ...]:
    """Executions, failures, failure rate, and how long executions took."""
    before = overview.previous if overview.previous and overview.previous.executions else None
    return tuple(_figure(measure, overview, before) for measure in _MEASURES)


@dataclass(frozen=True, slots=True)
class _Measure:
    label: str
    of: Callable[[Overview | Period], float]
    words: Callable[[float], str]
    change_words: Callable[[float], str]
    growth: _Growth = "inverse"
    help: str | None = None
    of_durations: bool = False
    """Whether it is exact only where the durations are."""


def _figure(measure: _Measure, overview: Overview, before: Period | None) -> Figure:
    change, growth = _change(measure, overview, before)
    exact = not measure.of_durations or overview.durations is None or overview.durations.exact
    value = f"{'' if exact else ABOUT}{measure.words(measure.of(overview))}"
    return Figure(measure.label, value, change, growth, measure.help)


def _change(measure: _Measure, overview: Overview, before: Period | None) -> tuple[str, _Growth]:
    if before is None:
        return NO_EARLIER_DATA, "off"
    moved = measure.of(overview) - measure.of(before)
    amount = measure.change_words(abs(moved))
    if amount == measure.change_words(0):
        return NO_CHANGE, "off"
    # Streamlit takes the direction of the arrow from a leading hyphen.
    return f"{'+' if moved > 0 else '-'}{amount}", measure.growth


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _points(share: float) -> str:
    return f"{share * 100:.1f} points"


def _p50(numbers: Overview | Period) -> float:
    return numbers.durations.p50_ms if numbers.durations else 0.0


def _p95(numbers: Overview | Period) -> float:
    return numbers.durations.p95_ms if numbers.durations else 0.0


P50: Final = "Half of the executions took this long or less: the median."
P95: Final = "95 of 100 executions took this long or less."
_MEASURES: Final = (
    _Measure("Executions", lambda numbers: numbers.executions, _count, _count, growth="off"),
    _Measure("Failures", lambda numbers: numbers.failures, _count, _count),
    _Measure("Failure rate", lambda numbers: numbers.failure_rate, percent, _points),
    _Measure("p50 duration", _p50, duration, duration, help=P50, of_durations=True),
    _Measure("p95 duration", _p95, duration, duration, help=P95, of_durations=True),
)
