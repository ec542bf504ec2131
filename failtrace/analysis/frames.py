"""The frames inside a stack that was kept as text, and which of them are the user's own code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_FRAME = re.compile(r'\s*File "([^"\n]{1,4096})", line (\d{1,9}),? in (.{1,1000})')
_FOREIGN = re.compile(
    r"[/\\](?:site-packages|dist-packages)[/\\]"
    r"|[/\\]lib[/\\]python\d[^/\\]*[/\\]|[/\\]python\d+[/\\]lib[/\\]"
    r"|[/\\]failtrace[/\\](?:capture|detection|execution)[/\\]"
    r"|^<(?:frozen|string)",
    re.IGNORECASE,
)
"""Installed packages, the standard library, and failtrace's own files between the caller and the subject."""
_ORDER = re.compile(r" ?\(most recent call (first|last)\):$")
_ADDRESS = re.compile(r"0x0*(?=[0-9a-f])")


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of code that was being executed."""

    file: str
    line: int
    function: str
    source: str
    """The lines of code as they were kept, carets included; empty where there were none."""

    @property
    def own(self) -> bool:
        """Whether it is the user's code: neither an installed package nor the standard library nor failtrace."""
        return not _FOREIGN.search(self.file)


@dataclass(frozen=True, slots=True)
class Stack:
    """Where one thread, or one task, stood."""

    name: str
    frames: tuple[Frame, ...]
    """Innermost first."""
    text: str

    @property
    def place(self) -> Frame | None:
        """The innermost frame of the user's own code."""
        return next((frame for frame in self.frames if frame.own), None)


def frames_of(stacktrace: str) -> tuple[Frame, ...]:
    """The frames of a traceback, or of one stack of a dump, in its order."""
    found: list[Frame] = []
    for line in stacktrace.splitlines():
        if match := _FRAME.fullmatch(line):
            found.append(Frame(match[1], int(match[2]), match[3], ""))
        elif found and line.startswith("    "):
            last = found[-1]
            found[-1] = replace(last, source=f"{last.source}\n{line[4:]}" if last.source else line[4:])
    return tuple(found)


def place_of(stacktrace: str) -> Frame | None:
    """Where an exception came from: the innermost frame of the user's own code, else the innermost of all."""
    frames = frames_of(stacktrace)
    return next((frame for frame in reversed(frames) if frame.own), frames[-1] if frames else None)


def stacks_of(dump: str) -> tuple[Stack, ...]:
    """The stacks in a dump of threads and tasks; those with the user's own code first, else in its order."""
    return tuple(sorted(_stacks(dump), key=lambda stack: stack.place is None))


def _stacks(dump: str) -> Iterator[Stack]:
    name, lines = "", list[str]()
    for line in [*dump.splitlines(), "end"]:
        if not line.strip() or line[0].isspace() or _FRAME.fullmatch(line):
            lines.append(line)
            continue
        frames = frames_of("\n".join(lines))
        if frames:
            order = _ORDER.search(name)
            inward = frames[::-1] if order and order[1] == "last" else frames
            yield Stack(_ADDRESS.sub("0x", _ORDER.sub("", name)), inward, "\n".join([name, *lines]).strip())
        name, lines = line, []
