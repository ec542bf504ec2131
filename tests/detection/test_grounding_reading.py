"""What the grounding detector reads out of a text: numbers, dates, times, names, sentences."""

from decimal import Decimal

import pytest

from failtrace.detection.grounding.claims import find_claims
from failtrace.detection.grounding.dates import Day, find_dates, find_times
from failtrace.detection.grounding.names import find_names
from failtrace.detection.grounding.quantities import find_quantities
from failtrace.detection.grounding.text import sentences


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (
            "1,084 or 1.084.000 or 1\u202f084 of them",
            [("1,084", "1084"), ("1.084.000", "1084000"), ("1\u202f084", "1084")],
        ),
        ("$ 4.6 million, 3k and 2bn", [("$ 4.6 million", "4600000"), ("3k", "3000"), ("2bn", "2000000000")]),
        ("two hundred and five, twenty - one", [("two hundred and five", "205"), ("twenty - one", "21")]),
        ("nineteen ninety-four", [("nineteen ninety-four", "1994")]),
        ("the eighties, the 60's", [("eighties", "1980"), ("60's", "1960")]),
        ("the 20th century, 21st in line", [("20th century", "1900"), ("21st", "21")]),
        ("2018-19", [("2018", "2018"), ("19", "2019")]),
        ("-5 °C, 14 - year, (-3)", [("-5 °C", "-5"), ("14 - year", "14"), ("-3", "-3")]),
        ("v1.2.3, B52, mp3, 3rd2 and one two three", []),
    ],
)
def test_numbers_are_read_with_what_belongs_to_them(text: str, numbers: list[tuple[str, str]]) -> None:
    """Each number once, with its whole span and the value it means."""
    found = [(text[number.start : number.end], number.value) for number in find_quantities(text)]
    assert found == [(span, Decimal(value)) for span, value in numbers]


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("on 2024-05-14", (Day(2024, 5, 14, 1),)),
        ("the 14th of May , 2024", (Day(2024, 5, 14, 1),)),
        ("Sept. 3", (Day(None, 9, 3),)),
        ("3/4/2020", (Day(2020, 4, 3, 4), Day(2020, 3, 4, 2))),
        ("in March", (Day(None, 3),)),
        ("in March 2020", (Day(2020, 3),)),
        ("on Mondays", (Day(weekday=0),)),
    ],
)
def test_dates_are_read_in_all_their_readings(text: str, readings: tuple[Day, ...]) -> None:
    """A date is what it says, in every way it can be read; a full one knows its weekday."""
    assert [date.readings for date in find_dates(text)] == [readings]


def test_what_is_no_date_or_time_is_not_read_as_one() -> None:
    """Days that do not exist, modal verbs and proportions are none."""
    assert find_dates("2023-02-30, 40 May, they may march on, 99/99/2020") == []
    assert find_times("a 25:61 ratio, 13 pm, 1:2:3:4, John 3") == []


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("18:00", (1080,)),
        ("6 p.m.", (1080,)),
        ("at 6:30", (390, 1110)),
        ("06:30", (390,)),
        ("2024-05-14T06:30:00Z", (390,)),
        ("noon", (720,)),
        ("12 am", (0,)),
        ("9 o'clock", (540, 1260)),
    ],
)
def test_times_are_read_as_minutes_of_the_day(text: str, minutes: tuple[int, ...]) -> None:
    """Two readings where the text does not say which half of the day."""
    assert [time.readings for time in find_times(text)] == [minutes]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Yesterday the band Proto-Zed met Anna de Vries and Mr. Holm.", ["Proto-Zed", "Anna de Vries", "Holm"]),
        ("Oslo is cold.", []),
        ("Erik Holm lives there; I love HIM.", ["Erik Holm"]),
        ("The flight SK-4711 left at once.", ["SK-4711"]),
        ("The Best Museums of the North", []),
        ("See mail@Zed.org, lib/Zed/Qux and `Zed Qux`.", []),
        ("We met on a Monday in May.", []),
    ],
)
def test_a_capital_is_a_name_only_where_it_means_one(text: str, names: list[str]) -> None:
    """Not at the start of a sentence, in a title, an address or a date."""
    found = [text[name.start : name.end] for part in sentences(text) for name in find_names(part)]
    assert found == names


def test_sentences_end_where_they_end() -> None:
    """Abbreviations, initials and decimals do not end one; lines and full stops do."""
    text = 'Dr. J. Smith paid 3.5 euros. Why?  He had "no choice." She left\nlater … then. '
    parts = sentences(text)
    assert [part.text for part in parts] == [
        "Dr. J. Smith paid 3.5 euros.",
        "Why?",
        'He had "no choice."',
        "She left",
        "later …",
        "then.",
    ]
    assert all(text[part.start : part.end] == part.text for part in parts)


def test_list_markers_citations_and_small_counts_are_no_claims() -> None:
    """What a writer numbers or counts by hand is nothing evidence would have to hold."""
    text = "1. Two of three rooms [4], see #2.\n2) Open 24/7 at https://x.org/9 for 77 euros."
    assert [claim.text for claim in find_claims(text, 10)] == ["77 euros"]
    assert [claim.text for claim in find_claims("1, 2, 3, 4", 2)] == ["1", "2"]
