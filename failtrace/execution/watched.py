"""A watched function, which its calls have in common: when one counts as failed, and how its output is judged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from failtrace.capture.exceptions import isinstance_safe
from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_journal import CallJournal
from failtrace.execution.contract_check import check_contract
from failtrace.execution.unjudged import why_unjudged
from failtrace.subjects.subject import Subject

MAX_GROUPED = 1000
"""Members of an exception group that are looked at."""
_log = logging.getLogger("failtrace")


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that has ended and is to be judged."""

    journal: CallJournal
    subject: Subject
    sampled: bool
    """Whether it is stored even where it passed."""
    sure: bool
    """Whether the journal alone shows that it is to be stored; else the evidence has to be asked first."""


class Watched:
    """A watched function: what its calls have in common."""

    __slots__ = ("_warned", "hand_over", "ignore", "may_return_failed", "needs_output", "sample", "subject", "told")

    def __init__(
        self,
        subject: Subject,
        sample: float,
        ignore: tuple[type[BaseException], ...],
        hand_over: Callable[[Ended], None],
    ) -> None:
        self.subject = subject
        self.sample = sample
        self.ignore = ignore
        self.hand_over = hand_over
        self._warned = False
        self.needs_output = subject.output_model is not None or subject.evidence is not None
        self.may_return_failed = self.needs_output or subject.timeout is not None
        """Whether a call may have failed that returned."""
        marks = Marks()
        fields = {
            "subject": {
                "name": sanitise_text(subject.name, marks, 256),
                "version": subject.version,
                "source": sanitise_text(subject.source, marks, 512),
            },
            "timeout": subject.timeout or 0.0,
            "sample": sample,
        }
        self.told = to_json(fields)[1:-1]
        """Their fields of a journal's first line."""

    def fails_by(self, error: BaseException) -> bool:
        """Whether the function failed: it did not where it was interrupted, cancelled, or only says that it is done."""
        members = _members(error)
        failed = any(isinstance_safe(one, Exception) and not isinstance_safe(one, _NO_FAILURE) for one in members)
        return failed and not issubclass(type(error), self.ignore)

    def contract_of(self, output: Any, marks: Marks) -> dict[str, Any] | None:
        """Its violations; None without a contract, and where the contract itself broke, which is not the host's affair.

        `unjudged` with the reason where the host would lose by it what it is about to iterate, or its time.
        """
        if self.subject.output_model is None:
            return None
        try:
            if (why := why_unjudged(output)) is not None:
                self._warn(why)
                return {"unjudged": why}
            return {"violations": check_contract(self.subject.output_model, output, marks)}
        # A validator is the user's code: what it raises, SystemExit too, must not reach a host that only returned.
        except BaseException as error:  # noqa: BLE001
            FAULTS.take(error)
            return None

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("Outputs of the watched %r are not held against its output_model. %s", self.subject.name, why)


_NO_FAILURE = (StopIteration, StopAsyncIteration)


def _members(error: BaseException) -> Iterator[BaseException]:
    """The exception, or where it is a group those in it, at most MAX_GROUPED."""
    waiting = [error]
    for _ in range(MAX_GROUPED):
        if not waiting:
            return
        one = waiting.pop()
        if isinstance_safe(one, BaseExceptionGroup):
            waiting.extend(BaseExceptionGroup.exceptions.__get__(one))
        else:
            yield one
