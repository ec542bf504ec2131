"""Numbers in words: durations, sizes, counts."""

from typing import Final

_ABSURD_MS: Final = 1e15
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB")


def duration(milliseconds: float) -> str:
    """`0.42 ms`, `4.2 ms`, `12 ms`, `1.24 s`, `2 min 05 s`, `3 h 07 min`."""
    if not abs(milliseconds) < _ABSURD_MS:
        return f"{milliseconds / 1000:.1e} s"
    if milliseconds < 1:
        return f"{milliseconds:.2f} ms"
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def size(count: int) -> str:
    """`512 bytes`, `1.5 KB`, `3.0 MB`; 1 KB is 1,024 bytes."""
    amount = float(count)
    for unit in _UNITS[:-1]:
        if amount < 1024:
            return f"{count:,} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} {_UNITS[-1]}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 failure`, `1,204 failures`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share of 0 to 1 as `0 %`, `<0.1 %`, `12.5 %`."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share * 100:.1f} %".replace(".0 %", " %")
