"""Dates and clock times in a text, each as the readings it allows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

from failtrace.detection.grounding.text import lowered
from failtrace.detection.grounding.vocabulary import WEEKDAY_NAMES

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sept sep", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
WEEKDAYS = {name: number for number, name in enumerate(WEEKDAY_NAMES)}
_NOON, _DAY = 12 * 60, 24 * 60

_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
_YEAR = r"(?:1\d|20|21)\d\d\b"
_DATE = re.compile(
    r"\b(?<![.-])(?:(?P<iso>\d{4}-\d\d-\d\d)(?=t|\b)"
    r"|(?<!/)(?P<numeric>\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d\d))(?![\w/]|\.\d)"
    rf"|(?P<dmy>\d{{1,2}}(?:st|nd|rd|th)?(?:\sof)?\s{_MONTH}(?:\s?,?\s?{_YEAR})?)"
    rf"|(?P<mdy>{_MONTH}\s(?:the\s)?\d{{1,2}}(?:st|nd|rd|th)?(?![\w:])(?:\s?,?\s?{_YEAR})?)"
    rf"|(?P<my>{_MONTH}\s?,?\s?(?:of\s)?{_YEAR})"
    rf"|(?:in|since|until)\s(?P<month>{_MONTH})(?!\s?,?\s?\d)"
    rf"|(?P<weekday>(?:{'|'.join(WEEKDAYS)}))s?\b)"
)
_TIME = re.compile(
    r"\b(?<![:.])(?:(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d)(?::[0-5]\d)?)?\s?(?P<half>[ap]\.?m\b\.?)"
    r"|(?P<hour24>[01]?\d|2[0-4]):(?P<minute24>[0-5]\d)(?::[0-5]\d(?:\.\d+)?)?(?![\w:])"
    r"|\d{4}-\d\d-\d\dt(?P<isohour>\d\d):(?P<isominute>\d\d)"
    r"|(?P<hourclock>\d{1,2})\s?o['’]clock\b|(?P<word>noon|midday|midnight)\b)"
)
_PART = re.compile(r"\d+|[a-z]+")


@dataclass(frozen=True, slots=True)
class Day:
    """One reading of a date; what the text leaves open is None. `weekday` counts from Monday, 0."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None

    def within(self, held: "Day") -> bool:
        """Does everything this reading says stand in `held` too?"""
        return all(
            mine in (None, theirs)
            for mine, theirs in (
                (self.year, held.year),
                (self.month, held.month),
                (self.day, held.day),
                (self.weekday, held.weekday),
            )
        )


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date in a text, as all its readings (3/4/2020 has two)."""

    start: int
    end: int
    readings: tuple[Day, ...]

    def agrees(self, held: "DateMention") -> bool:
        """Does any reading of the evidence's date hold any of this one?"""
        return any(mine.within(theirs) for mine, theirs in product(self.readings, held.readings))


@dataclass(frozen=True, slots=True)
class TimeMention:
    """A clock time in a text, in minutes of the day; two readings where it does not say which half."""

    start: int
    end: int
    readings: tuple[int, ...]

    def agrees(self, held: "TimeMention") -> bool:
        """Is it the same minute in any reading?"""
        return not set(self.readings).isdisjoint(held.readings)


def find_dates(text: str) -> list[DateMention]:
    """All dates of `text`, by position: numeric, with month names, months after `in`, weekdays."""
    found = []
    for match in _DATE.finditer(lowered(text)):
        kind = match.lastgroup or ""
        readings = tuple(_readings(kind, match[kind]))
        if readings:
            found.append(DateMention(match.start(kind), match.end(kind), readings))
    return found


def find_times(text: str) -> list[TimeMention]:
    """All clock times of `text`, by position: `18:00`, `6 pm`, `6 o'clock`, `noon`."""
    found = []
    for match in _TIME.finditer(lowered(text)):
        readings = tuple(_minutes(match))
        if readings:
            found.append(TimeMention(match.start(), match.end(), readings))
    return found


def _readings(kind: str, text: str) -> Iterator[Day]:
    if kind == "weekday":
        yield Day(weekday=WEEKDAYS[text])
        return
    parts = [part for part in _PART.findall(text) if part not in ("of", "the", "st", "nd", "rd", "th")]
    numbers = [int(part) for part in parts if part.isdigit()]
    month = next((MONTHS[part] for part in parts if part in MONTHS), None)
    if kind == "iso":
        yield from _day(numbers[0], numbers[1], numbers[2])
    elif kind == "numeric":
        year = numbers[2] if numbers[2] > 99 else numbers[2] + (2000 if numbers[2] < 50 else 1900)
        yield from _day(year, numbers[1], numbers[0])
        yield from _day(year, numbers[0], numbers[1])
    elif kind in ("dmy", "mdy"):
        yield from _day(numbers[1] if len(numbers) > 1 else None, month, numbers[0])
    else:
        yield Day(numbers[0] if numbers else None, month)


def _day(year: int | None, month: int | None, day: int) -> Iterator[Day]:
    if month is None or not (1 <= month <= 12 and 1 <= day <= 31):
        return
    try:
        weekday = date(year, month, day).weekday() if year is not None else None
    except ValueError:  # the 31st of a short month
        return
    yield Day(year, month, day, weekday)


def _minutes(match: re.Match[str]) -> Iterator[int]:
    if match["word"]:
        yield 0 if match["word"] == "midnight" else _NOON
        return
    hour = int(match["hour"] or match["hour24"] or match["isohour"] or match["hourclock"])
    minute = int(match["minute"] or match["minute24"] or match["isominute"] or 0)
    if match["half"]:
        if 1 <= hour <= 12:
            yield (hour % 12 + (12 if match["half"].startswith("p") else 0)) * 60 + minute
        return
    if hour <= 24:
        yield (hour * 60 + minute) % _DAY
    if hour <= 12 and not match["isohour"] and not (match["hour24"] or "").startswith("0"):
        yield (hour * 60 + minute + _NOON) % _DAY
