"""A clock that a test sets."""

from datetime import datetime, timedelta

from support.records import NOON


class Clock:
    """Stands still until it is set; at NOON first."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def add(self, **span: float) -> datetime:
        """Go on (or back) by a timedelta's keywords."""
        self.now += timedelta(**span)
        return self.now
