"""A finished journal segment to a TraceRecord: built once, validated once."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from failtrace.capture.journal import JournalLines
from failtrace.contracts import (
    Completeness,
    Crashed,
    Environment,
    ErrorInfo,
    LogLine,
    Logs,
    Outcome,
    OutputTail,
    Raised,
    Returned,
    SubjectInfo,
    Termination,
    TimedOut,
    TraceRecord,
)
from failtrace.detection.detectors import ask
from failtrace.detection.failure import failure_event
from failtrace.detection.observation import Observation
from failtrace.detection.steps import StepLines, moment, nanoseconds
from failtrace.errors import ExecutionError
from failtrace.subjects.limits import LIMIT_MET, Breach

WATCHDOG = "Timeout ("
"""How faulthandler's dump begins when the deadline set it off."""
WATCHDOG_EXIT = 1
"""The exit code by which it then ends the process."""
REFUSED_MEMORY = ("memory allocation of ", "MemoryError", "std::bad_alloc")
"""What Rust, Python and C++ write before they abort."""
ENDS_WHATEVER_RETURNED = ("output_limit_bytes", "process_limit")
"""Limits that are kept from outside, a moment late: whether the subject had returned by then must not matter."""


def assemble(journal: JournalLines) -> TraceRecord:
    """The record of the execution that the lines tell of. Raises ExecutionError where its first line is missing."""
    return _Story(journal).record()


@dataclass(frozen=True, slots=True)
class _Ending:
    """When and how it ended."""

    outcome: Outcome
    ended_at: int
    duration_ms: float
    open_step: str | None = None
    """Where it stood when its deadline passed or its process died."""
    error: ErrorInfo | None = None
    """What it raised, in time or late."""


class _Story:
    """The lines of one execution, read for what they say together."""

    def __init__(self, journal: JournalLines) -> None:
        opened = journal.first("open")
        if opened is None:
            raise ExecutionError(
                "Cannot tell an execution from its journal: the first line is missing; "
                "the file was not written by failtrace."
            )
        self._journal = journal
        self._open = opened
        self._begin = journal.first("begin")
        self._outcome = journal.last("outcome")
        self._deadline = journal.last("deadline")
        self._exit = journal.last("exit")
        self._breach = self._met()
        self._steps = StepLines(journal.lines)
        self._started = (self._outcome or {}).get("began") or (self._begin or opened)["t"]

    def record(self) -> TraceRecord:
        """The whole record: outcome, steps, verdicts, failure."""
        ending = self._ending()
        outcome = ending.outcome
        enforced = isinstance(outcome, TimedOut) and outcome.enforced
        steps = self._steps.build(
            outcome, ending.ended_at, self._deadline_at() if enforced and not self._breach else None
        )
        told = self._outcome if isinstance(outcome, Returned) else None
        output = (told or {}).get("output")
        observation = Observation(
            subject=self._open["subject"]["name"],
            input=self._open["input"],
            output=output,
            outcome=outcome,
            breach=self._breach,
            error=ending.error,
            steps=steps,
            contract=(told or {}).get("contract"),
            evidence=(told or {}).get("evidence"),
        )
        verdicts = ask(observation)
        ended_at = moment(max(ending.ended_at, self._started))
        failure = failure_event(
            observation,
            verdicts,
            failure_id=self._open["failure_id"],
            run_id=self._open["run_id"],
            trace_id=self._open["trace_id"],
            origin=self._origin(ending),
            occurred_at=ended_at,
            duration_ms=ending.duration_ms,
        )
        return TraceRecord(
            failure_id=failure.failure_id if failure else None,
            trace_id=self._open["trace_id"],
            run_id=self._open["run_id"],
            subject=SubjectInfo(**self._open["subject"]),
            input=self._open["input"],
            output=output,
            outcome=outcome,
            failure=failure,
            verdicts=verdicts,
            steps=steps,
            logs=self._logs(),
            environment=Environment(**self._open["environment"]),
            completeness=self._completeness(len(steps)),
            attributes=self._attributes(),
            started_at=moment(self._started),
            ended_at=ended_at,
            duration_ms=ending.duration_ms,
        )

    def _ending(self) -> _Ending:
        last = self._journal.lines[-1]
        told = self._outcome
        if told is not None and not self._overruled(told):
            return self._told_ending(told)
        ended_at = nanoseconds((self._exit or last).get("t", self._started))
        elapsed_ms = max(0, ended_at - self._started) / 1e6
        breach = self._breach
        late = breach is None and self._ran_late()
        open_step = self._steps.last_open(self._deadline_at() if late else ended_at)
        if late or (breach and breach.name == "cpu_limit_s"):
            return _Ending(self._timed_out(elapsed_ms, open_step), ended_at, elapsed_ms, open_step)
        return _Ending(self._crashed(open_step), ended_at, elapsed_ms, open_step)

    def _met(self) -> Breach | None:
        """The limit that was met, whoever told of it: the subject's process itself, or its supervisor."""
        seen = (self._exit or {}).get("limit")
        if seen and self._outcome is not None and seen["name"] not in ENDS_WHATEVER_RETURNED:
            # Its own work was done by then.
            seen = None
        told = self._journal.first("limit") or (self._outcome or {}).get("limit") or seen
        return Breach(told["name"], told["limit"], told["reached"]) if told else self._aborted_for_memory()

    def _aborted_for_memory(self) -> Breach | None:
        """Native code that is refused memory cannot raise: it says so on stderr and aborts."""
        limit = self._open.get("limits", {}).get("memory_limit_bytes")
        ended = self._exit or {}
        if limit is None or ended.get("signal") != signal.SIGABRT or self._outcome is not None:
            return None
        refused = any(words in (ended.get("stderr") or {}).get("text", "") for words in REFUSED_MEMORY)
        return Breach("memory_limit_bytes", limit, None) if refused else None

    def _overruled(self, told: dict[str, Any]) -> bool:
        """Whether a limit was exceeded by a subject that returned before it could be ended for that."""
        breach = self._breach
        return told["kind"] == "returned" and breach is not None and breach.name in ENDS_WHATEVER_RETURNED

    def _told_ending(self, told: dict[str, Any]) -> _Ending:
        error = error_info(told["error"]) if told["kind"] == "raised" else None
        if not told.get("late"):
            return _Ending(Raised(error=error) if error else Returned(), self._ended(told), told["ms"], error=error)
        outcome = TimedOut(
            limit_s=self._open["timeout"],
            elapsed_s=told["ms"] / 1000,
            stacks=(self._deadline or {}).get("stacks", ""),
            # A cancelled coroutine may raise something of its own; the deadline ended it all the same.
            enforced=self._deadline is not None,
            termination=None,
        )
        return _Ending(outcome, self._ended(told), told["ms"], self._steps.last_open(self._deadline_at()), error)

    def _deadline_at(self) -> int:
        """When the deadline passed."""
        if self._deadline is not None:
            return int(self._deadline["t"])
        return int(self._started + self._open["timeout"] * 1e9)

    def _ran_late(self) -> bool:
        if self._deadline is not None:
            return True
        ended = self._exit
        if ended is None or self._begin is None:
            return False
        if ended["killed"] == "deadline" or ended["stacks"].startswith(WATCHDOG):
            return True
        # A subject that closed every descriptor left the watchdog none to write to; it ended the process all the same.
        silent = ended["killed"] is None and not ended["stacks"] and ended.get("code") == WATCHDOG_EXIT
        return bool(silent and ended["t"] - self._begin["t"] >= self._open["timeout"] * 1e9)

    def _timed_out(self, elapsed_ms: float, open_step: str | None) -> TimedOut:
        ended, breach = self._exit or {"stacks": "", "killed": None}, self._breach
        tasks = (self._deadline or {}).get("stacks", "")
        return TimedOut(
            limit_s=breach.limit if breach else self._open["timeout"],
            elapsed_s=(breach.reached or 0.0) if breach else elapsed_ms / 1000,
            stacks="\n".join(part for part in (tasks, ended["stacks"]) if part),
            enforced=True,
            # Where the watchdog inside ended the process, its exit code is ours and says nothing of the subject.
            termination=self._termination(open_step, by_itself=ended["killed"] is None) if self._exit else None,
        )

    def _termination(self, open_step: str | None, *, by_itself: bool) -> Termination:
        ended = self._exit or {}
        number = ended.get("signal")
        return Termination(
            exit_code=None if by_itself else ended.get("code"),
            signal=None if number is None else signal_name(number),
            core_dumped=bool(ended.get("core")),
            out_of_memory=_out_of_memory(ended),
            peak_rss_bytes=ended.get("peak_rss"),
            last_open_step_id=open_step,
        )

    def _crashed(self, open_step: str | None) -> Crashed:
        ours = self._breach is not None and (self._exit or {}).get("signal") is None
        end = self._termination(open_step, by_itself=ours)
        return Crashed(termination=end, reason=self._reason(end))

    def _reason(self, end: Termination) -> str:
        if self._breach is not None:
            return self._breach.sentence()
        ended = self._exit
        if ended is None:
            return "The process was lost together with its supervisor, so how it died is unknown."
        if ended["host_lost"]:
            return "The program that ran the subject was lost, and the subject was ended with it."
        if end.out_of_memory:
            return "The subject's process was ended by the kernel's out-of-memory killer (SIGKILL)."
        if end.signal is not None:
            return f"The subject's process was ended by {end.signal}."
        return f"The subject's process left with exit code {end.exit_code} before the subject returned."

    def _ended(self, told: dict[str, Any]) -> int:
        """When the subject itself ended: the line was written after its output had been checked."""
        return int(self._started + told["ms"] * 1e6)

    def _origin(self, ending: _Ending) -> str | None:
        """The step that failed, or was open when the execution ended."""
        if isinstance(ending.outcome, Raised):
            told: str | None = (self._outcome or {}).get("origin")
            return told or self._steps.left_by(ending.outcome.error.message)
        return ending.open_step

    def _logs(self) -> Logs:
        ended = self._exit or {}
        lines = tuple(_log_line(line) for line in self._journal.lines if line["k"] == "log")
        return Logs(lines=lines, stdout=_tail(ended.get("stdout")), stderr=self._stderr(ended))

    def _stderr(self, ended: dict[str, Any]) -> OutputTail:
        """Where a process that crashed by itself writes its stacks, those of one that a limit ended are found too."""
        tail, stacks = _tail(ended.get("stderr")), ended.get("stacks", "")
        if self._breach is None or self._breach.name == "cpu_limit_s" or not stacks:
            return tail
        return OutputTail(text=tail.text + stacks, total_bytes=tail.total_bytes + len(stacks.encode()))

    def _attributes(self) -> dict[str, Any]:
        """The user's own, and the limit that was met."""
        attributes: dict[str, Any] = self._open["attributes"]
        return {**attributes, LIMIT_MET: self._breach._asdict()} if self._breach else attributes

    def _completeness(self, recorded: int) -> Completeness:
        # The host and the supervisor count for themselves. What counts inside grows from line to line, and lines of
        # several threads may come in any order: the most that any line told is the sum.
        apart = [line["marks"] for line in (self._open, self._exit or {}) if "marks" in line]
        tallies = [line["tally"] for line in self._journal.lines if "tally" in line]
        cut, redacted, steps_dropped, logs_dropped, lines_lost = map(max, zip((0,) * 5, *tallies, strict=True))
        return Completeness(
            steps_started=self._steps.started + steps_dropped,
            steps_recorded=recorded,
            steps_dropped=steps_dropped,
            logs_dropped=logs_dropped,
            bytes_cut=cut + sum(mark["cut"] for mark in apart),
            values_redacted=redacted + sum(mark["redacted"] for mark in apart),
            journal_lines_torn=self._journal.torn + lines_lost,
        )


def _log_line(line: dict[str, Any]) -> LogLine:
    return LogLine(
        time=moment(line["t"]), level=line["level"], logger=line["logger"], message=line["msg"], step_id=line["id"]
    )


def error_info(fields: dict[str, Any]) -> ErrorInfo:
    """The ErrorInfo of a journal line's fields."""
    return ErrorInfo(
        **{
            **fields,
            "notes": tuple(fields["notes"]),
            "causes": tuple(error_info(cause) for cause in fields["causes"]),
            "exceptions": tuple(error_info(member) for member in fields["exceptions"]),
        }
    )


def _out_of_memory(ended: dict[str, Any]) -> bool | None:
    """Whether the kernel ended the process for want of memory.

    The kernel counts its kills for a whole group of processes; only a SIGKILL that was not ours can be one of them.
    """
    killed_by_others = ended.get("signal") == signal.SIGKILL and ended.get("killed") is None
    oom: bool | None = ended.get("oom")
    return oom if killed_by_others else oom and False


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11; the number where the platform has no name for it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _tail(kept: dict[str, Any] | None) -> OutputTail:
    return OutputTail(text=kept["text"], total_bytes=kept["total"]) if kept else OutputTail()
