"""How a process came to its end, in words for people."""

from typing import Final

from failtrace.contracts import Crashed, Termination, TimedOut, TraceRecord
from failtrace.subjects.limits import LIMIT_MET

_SIGNALS: Final = {
    "SIGABRT": "It gave itself up, as C code does where an assertion fails, or where memory is refused to it.",
    "SIGBUS": "It touched memory that cannot be reached, often of a mapped file that became shorter.",
    "SIGFPE": "C code divided by zero, or overflowed.",
    "SIGHUP": "Its terminal or its session was closed.",
    "SIGILL": "It came upon an instruction that this processor does not know: a library built for another one.",
    "SIGINT": "Somebody pressed Ctrl-C, or asked it in the same way to stop.",
    "SIGKILL": "It was ended from outside, without a chance to react.",
    "SIGPIPE": "It wrote to a pipe that nobody reads any more.",
    "SIGQUIT": "Somebody asked it to stop and to leave a core dump.",
    "SIGSEGV": "It touched memory that is not its own (a segmentation fault), most often in C code.",
    "SIGSYS": "It asked the system for something that is forbidden here.",
    "SIGTERM": "Somebody asked it to end.",
    "SIGTRAP": "It ran into a breakpoint, or a check that a compiler put into C code.",
    "SIGXCPU": "It used up its limit of processor time.",
    "SIGXFSZ": "It wrote a file beyond the limit of its size.",
}
_MEANS: Final = ("SIGXCPU", "SIGKILL")
"""By which a supervisor ends a subject, at any of its limits; SIGXCPU has it write its stacks first."""
_BY_SIGNAL: Final = 128
"""A shell tells of a child that signal N ended by the exit code 128 + N."""
_LAST_SIGNAL: Final = 64


def is_ours(end: Termination, record: TraceRecord) -> bool:
    """Whether failtrace sent the signal that ended the record's process: at its deadline, or at a limit that it met."""
    at_limit = isinstance(record.outcome, TimedOut) or (
        isinstance(record.outcome, Crashed) and LIMIT_MET in record.attributes
    )
    return at_limit and end.signal in _MEANS and not end.out_of_memory


def how_it_died(end: Termination, *, ours: bool = False) -> str:
    """One or two sentences; empty where nothing is known. `ours` is what `is_ours` says of it."""
    if ours:
        return f"failtrace ended it for that, by {end.signal}."
    if end.out_of_memory:
        return "The machine, or its container, ran out of memory, and the kernel ended this process to get some back."
    if end.signal is not None:
        words = _SIGNALS.get(end.signal, f"It was ended by {end.signal}.")
        unsure = end.signal == "SIGKILL" and end.out_of_memory is None
        return f"{words} Whether for want of memory, nobody could tell." if unsure else words
    if end.exit_code is None:
        return ""
    if _BY_SIGNAL < end.exit_code <= _BY_SIGNAL + _LAST_SIGNAL:
        number = end.exit_code - _BY_SIGNAL
        return f"It left with {end.exit_code}, by which a shell says that signal {number} ended what it had started."
    return "It left by itself, past Python: by `os._exit`, or by C code that calls `exit`."
