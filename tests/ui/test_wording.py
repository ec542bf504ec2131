import pytest

from failtrace.ui.wording import duration, percent, plural, size


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0.0, "0 ms"),
        (0.004, "<0.01 ms"),
        (0.421, "0.42 ms"),
        (0.999, "1.0 ms"),
        (12.4, "12 ms"),
        (999.6, "1.00 s"),
        (1240.0, "1.24 s"),
        (59_996.0, "1 min 00 s"),
        (125_000.0, "2 min 05 s"),
        (3_599_700.0, "1 h 00 min"),
        (11_220_000.0, "3 h 07 min"),
        (1e308 * 1000, "inf s"),
        (-1e308, "-1.0e+305 s"),
        (float("nan"), "nan s"),
    ],
)
def test_durations_are_said_in_the_unit_a_person_would_use(milliseconds: float, words: str) -> None:
    """A duration must read as a person would say it, from microseconds to hours."""
    assert duration(milliseconds) == words


def test_counts_sizes_and_shares_read_well() -> None:
    """Plural, thousands, units and tiny shares must be right at their edges."""
    sizes = {0: "0 bytes", 1: "1 byte", 1023: "1,023 bytes", 1024: "1 KB", 1_024_614: "1 MB", 200 * 1024**2: "200 MB"}
    assert {count: size(count) for count in sizes} == sizes
    assert (size(2_294_008), size(5 * 1024**5)) == ("2.2 MB", "5,120 TB")
    assert [plural(count, "failure") for count in (0, 1, 1204)] == ["0 failures", "1 failure", "1,204 failures"]
    assert [percent(share) for share in (0.0, 0.0001, 0.125, 1.0)] == ["0 %", "<0.1 %", "12.5 %", "100 %"]
