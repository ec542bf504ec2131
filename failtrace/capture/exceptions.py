"""An exception into ErrorInfo's shape, whatever it is: its methods may raise, its chain may be endless."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from failtrace.capture.foreign_values import type_name
from failtrace.capture.interrupts import came_from_handler
from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.capture.unwieldy import MAX_ITEMS, is_unwieldy, short_repr

MAX_FRAMES = 60
"""Frames kept of one traceback: the first ten and the last fifty."""
MAX_CHAIN = 20
MAX_MEMBERS = 20
MAX_EXCEPTIONS = 200
"""Exceptions told of in all: the one raised, its chain, its members and theirs."""
MAX_GROUP_DEPTH = 4
MAX_RELATED = 100
MAX_MESSAGE = 16 * 1024
MAX_NOTES = 20

_OWN = __file__.rpartition("capture")[0]
_SCENARIOS = f"{_OWN}subjects"
_EXECUTION = f"{_OWN}execution"


def describe_exception(error: BaseException, marks: Marks) -> dict[str, Any]:
    """The fields of an ErrorInfo, sanitised and bounded. Calls nothing of the exception's but its `__str__`."""
    return _Description(marks).of(error, "raised", MAX_GROUP_DEPTH, _chain(error))


class _Description:
    """One exception with all that hangs on it, within one budget: wide groups of groups multiply."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._left = MAX_EXCEPTIONS

    def of(
        self, error: BaseException, relation: str, depth: int, chain: list[tuple[str, BaseException]]
    ) -> dict[str, Any]:
        """The fields of one of them, and of those behind and inside it."""
        self._left -= 1
        described: dict[str, Any] = {
            "type": _type_of(error, self._marks),
            "message": message_of(error, self._marks),
            "stacktrace": sanitise_text(_stacktrace(error), self._marks),
            "notes": [sanitise_text(note, self._marks, MAX_MESSAGE) for note in _notes(error)],
            "relation": relation,
            "causes": [self.of(cause, how, depth, []) for how, cause in chain if self._left > 0],
            "exceptions": [],
        }
        if isinstance_safe(error, BaseExceptionGroup):
            members = BaseExceptionGroup.exceptions.__get__(error)
            kept = members[:MAX_MEMBERS] if depth > 0 else ()
            described["exceptions"] = [
                self.of(member, "member", depth - 1, _chain(member)) for member in kept if self._left > 0
            ]
            if left_out := len(members) - len(described["exceptions"]):
                described["notes"].append(f"[{left_out} of {len(members)} members left out]")
        return described


def isinstance_safe(error: BaseException, kind: type | tuple[type, ...]) -> bool:
    """`isinstance` that trusts the type alone: a hostile `__class__` is not asked."""
    return issubclass(type(error), kind)


def related(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it came from, and where it is a group those in it, at most MAX_RELATED."""
    waiting = [error]
    for _ in range(MAX_RELATED):
        if not waiting:
            return
        one = waiting.pop()
        yield one
        causes = (attribute(one, "__cause__"), attribute(one, "__context__"))
        waiting.extend(cause for cause in causes if cause is not None)
        if isinstance_safe(one, BaseExceptionGroup):
            waiting.extend(BaseExceptionGroup.exceptions.__get__(one))


def _type_of(error: BaseException, marks: Marks) -> str:
    """`module.Qualname`, the module left out for builtins and for the script itself."""
    return sanitise_text(type_name(type(error)).removeprefix("__main__."), marks)


def message_of(error: BaseException, marks: Marks) -> str:
    """`str(error)`, bounded and redacted; a sentence where it cannot be had."""
    told = attribute(error, "args")
    try:
        unwieldy = len(told) > MAX_ITEMS or any(map(is_unwieldy, told))
        text = _spelled(told) if unwieldy else str(error)
    # A subject's __str__ may raise anything, even KeyboardInterrupt; that must not hide the failure itself.
    except BaseException as broken:
        if came_from_handler(broken):
            raise
        return f"<the exception's __str__ raised {type(broken).__name__}>"
    return sanitise_text(text, marks, MAX_MESSAGE)


def _spelled(told: tuple[object, ...]) -> str:
    return short_repr(told if len(told) > 1 else told[0])


def _notes(error: BaseException) -> list[str]:
    notes = attribute(error, "__notes__")
    return [note for note in notes[:MAX_NOTES] if type(note) is str] if type(notes) is list else []


def attribute(error: BaseException, name: str) -> Any:
    """An attribute of its own; what its class may have put in the place of it is not asked."""
    slot = BaseException.__dict__.get(name)
    return slot.__get__(error) if slot is not None else BaseException.__dict__["__dict__"].__get__(error).get(name)


def _chain(error: BaseException) -> list[tuple[str, BaseException]]:
    """(relation, exception) behind `error`, nearest first; cycles end it."""
    chain: list[tuple[str, BaseException]] = []
    seen = {id(error)}
    current = error
    while len(chain) < MAX_CHAIN:
        cause = attribute(current, "__cause__")
        suppressed = attribute(current, "__suppress_context__")
        following = cause if cause is not None else None if suppressed else attribute(current, "__context__")
        if following is None or id(following) in seen:
            break
        seen.add(id(following))
        chain.append(("cause" if cause is not None else "context", following))
        current = following
    return chain


def _stacktrace(error: BaseException) -> str:
    """The frames of the exception, failtrace's own left out, oldest first."""
    frames = _users(_frames(attribute(error, "__traceback__")))
    if len(frames) > MAX_FRAMES:
        left_out = f"  [{len(frames) - MAX_FRAMES} frames left out]\n"
        text = [*traceback.format_list(frames[:10]), left_out, *traceback.format_list(frames[-50:])]
    else:
        text = traceback.format_list(frames)
    return "Traceback (most recent call last):\n" + "".join(text) if frames else ""


def _frames(tb: TracebackType | None) -> list[traceback.FrameSummary]:
    try:
        return list(traceback.extract_tb(tb))
    # linecache asks a module's __loader__, which is the subject's own code.
    except Exception as error:
        if came_from_handler(error):
            raise
        return []


def _users(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """The frames without failtrace's own, nor those (of asyncio, say) by which it called the subject."""
    own = [index for index, frame in enumerate(frames) if is_machinery(frame.filename)]
    called = max((index for index in own if frames[index].filename.startswith(_EXECUTION)), default=-1)
    return [frame for index, frame in enumerate(frames) if index > called and index not in own]


def is_machinery(filename: str) -> bool:
    """Whether a file is failtrace's own. The scenarios live in the package and are subjects all the same."""
    return filename.startswith(_OWN) and not filename.startswith(_SCENARIOS)


_DUMPED_FRAME = re.compile(r'^  File "([^"\n]*)", line ')


def without_machinery(dump: str) -> str:
    """A dump of faulthandler, or of tasks, without failtrace's own frames."""
    lines = dump.splitlines(keepends=True)
    files = (_DUMPED_FRAME.match(line) for line in lines)
    return "".join(
        line
        for line, file in zip(lines, files, strict=True)
        if file is None or not (is_machinery(file[1]) or file[1] == "<string>")
    )
