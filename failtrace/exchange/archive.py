"""The file that `failtrace export` writes and `failtrace import` reads: JSON lines, gzip where the name ends in .gz.

    {"type": "header", "format": "failtrace", "version": 1}
    {"type": "run", …}                                       one for each run
    {"type": "execution", "sha256": …, "stored_at": …, "record": {…}}
    {"type": "summary", …}                                   an execution of which no whole record was kept
    {"type": "end", "runs": …, "executions": …}

A record stands there byte for byte as it is stored, so its sha256 can be checked. Without the last line a file is
torn; what came before is taken in all the same.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from failtrace.codec import check_shape, decode_record, digest
from failtrace.contracts import DeadlineExceeded, FailureType, TimedOut, TraceRecord
from failtrace.errors import InputError, UnreadableRecord
from failtrace.mirror.archive import Archived
from failtrace.mirror.runs import is_name_list
from failtrace.mirror.tables import PASSED
from failtrace.mirror.times import EARLIEST, LATEST
from failtrace.mirror.writes import MESSAGE_LIMIT, Entry, entry_of

VERSION: Final = 1
LONGEST_LINE: Final = 128 * 2**20
"""Bytes of one line. A record of 100,000 steps whose input and output are as long as values are kept has half of it."""
LONGEST_SMALL: Final = 2 * 2**20
"""Bytes of a line, or of its head, that is no record."""
MOST_MARKS: Final = 8_000_000
"""Commas, colons and opening brackets of one record: a value in memory takes up to 40 times its bytes in a line."""
_MANY_MARKS: Final = 100_000
"""From which on a record is looked at before it is read: reading a bad one can take a hundred times as much."""
_MARKS: Final = (b",", b":", b"[", b"{")
_STRETCH: Final = 2**18
MOST_LINES: Final = 20_000_000
MOST_BYTES: Final = 64 * 2**30
"""Bytes of all lines, unpacked: a few megabytes of gzip can hold any number."""
_RECORD: Final = b',"record":'
_WHOLE_64_BITS = Field(ge=-(2**63), lt=2**63)
_MOMENT = Field(ge=EARLIEST, le=LATEST)
LONGEST_DURATION: Final = 1e15
"""Milliseconds of an execution, seconds of a limit; longer than any can be, and short enough to be put in words."""
_LONGEST_NAME: Final = 200
"""Characters of a run_id, and of what failtrace itself names."""
_TYPES = {PASSED, *[kind.value for kind in FailureType]}


def _names(text: str) -> str:
    if not is_name_list(text):
        raise ValueError("it is no JSON list of names")
    return text


class _Strict(BaseModel):
    """Each of its texts has a length: pydantic lets a lone surrogate, which SQLite cannot keep, into those without."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RunLine(_Strict):
    """A run, by the names of the mirror's columns."""

    run_id: str = Field(max_length=_LONGEST_NAME)
    state: str = Field(pattern="^(running|finished|cancelled|interrupted)$")
    started_at: int = _MOMENT
    ended_at: int | None = _MOMENT
    subjects: Annotated[str, Field(max_length=2**20), AfterValidator(_names)]
    planned: int | None = _WHOLE_64_BITS
    not_run: int = _WHOLE_64_BITS
    bad_lines: int = _WHOLE_64_BITS
    pid: int = _WHOLE_64_BITS


class SummaryLine(_Strict):
    """An execution without its record."""

    trace_id: str = Field(pattern="^[0-9a-f]{32}$")
    failure_id: str | None = Field(pattern="^[0-9a-f-]{36}$")
    run_id: str | None = Field(max_length=_LONGEST_NAME)
    subject: str = Field(max_length=2**20)
    outcome: str = Field(max_length=_LONGEST_NAME)
    failure_type: str = Field(max_length=_LONGEST_NAME)
    message: str = Field(max_length=MESSAGE_LIMIT)
    fingerprint: str | None = Field(max_length=_LONGEST_NAME)
    ended_at: int = _MOMENT
    duration_ms: float = Field(ge=-LONGEST_DURATION, le=LONGEST_DURATION)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    input_key: str | None = Field(pattern="^[0-9a-f]{16}$")
    stored_at: int = _MOMENT


class End(_Strict):
    """What the writer counted."""

    runs: int = Field(ge=0, lt=2**63)
    executions: int = Field(ge=0, lt=2**63)


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that was not taken, and why."""

    number: int
    why: str


Line = RunLine | Archived | End | Bad


def header() -> bytes:
    """The first line."""
    return _line({"type": "header", "format": "failtrace", "version": VERSION})


def run_line(columns: dict[str, Any]) -> bytes:
    """The line of a run."""
    return _line({"type": "run", **columns})


def execution_line(found: Archived) -> bytes:
    """The line of an execution. One whose stored record is damaged goes as its summary."""
    entry, sha256 = found.entry, found.entry.sha256.hex()
    if entry.body and digest(entry.body) == sha256:
        head = {"type": "execution", "sha256": sha256, "stored_at": found.stored_at}
        return json.dumps(head, separators=(",", ":")).encode()[:-1] + _RECORD + entry.body + b"}\n"
    columns = entry._asdict() | {"sha256": sha256, "stored_at": found.stored_at, "type": "summary"}
    columns["input_key"] = entry.input_key.hex() if entry.input_key else None
    del columns["body"], columns["text"]
    return _line(columns)


def end_line(end: End) -> bytes:
    """The last line."""
    return _line({"type": "end", **end.model_dump()})


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """The file's lines as bytes, unpacked where it is gzip. Raises InputError where it cannot be opened."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                yield file
                return
            with gzip.open(file) as unpacked:
                yield unpacked  # type: ignore[misc]  # a GzipFile reads bytes as any file does
    except OSError as error:
        raise InputError(f"Cannot read {str(path)!r} ({error}); name a file that `failtrace export` wrote.") from error


def read(file: IO[bytes]) -> Iterator[Line]:
    """Every line behind the header, in order; what cannot be taken is a Bad one.

    Raises InputError at once for a file of another kind or of a newer version, and later beyond MOST_LINES or
    MOST_BYTES.
    """
    lines = _numbered(file)
    _check_header(next(lines, (1, b"")))
    return _all_parsed(lines)


def _all_parsed(lines: Iterator[tuple[int, bytes | Bad]]) -> Iterator[Line]:
    for number, raw in lines:
        if number > MOST_LINES:
            raise InputError(f"The file has more than {MOST_LINES:,} lines; split it and import the parts.")
        yield _parsed(number, raw) if isinstance(raw, bytes) else raw


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes | Bad]]:
    """Lines, of which none is held in memory that is longer than LONGEST_LINE."""
    number = taken = 0
    try:
        # Of the first a part is enough to see that it is no header: a device may have no end.
        while raw := file.readline(LONGEST_LINE if number else LONGEST_SMALL):
            number += 1
            taken = _counted(taken, raw)
            if number == 1 or len(raw) < LONGEST_LINE or raw.endswith(b"\n"):
                yield number, raw
                continue
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_SMALL)
                taken = _counted(taken, raw)
            yield number, Bad(number, f"it is longer than {LONGEST_LINE:,} bytes")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield number + 1, Bad(number + 1, f"the packed file is torn or damaged here ({error})")


def _counted(taken: int, raw: bytes) -> int:
    if taken + len(raw) > MOST_BYTES:
        raise InputError(f"The file holds more than {MOST_BYTES:,} bytes; split it and import the parts.")
    return taken + len(raw)


def _check_header(first: tuple[int, bytes | Bad]) -> None:
    try:
        found = _value(first[1]) if isinstance(first[1], bytes) else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("format") != "failtrace":
        raise InputError("This is no export of failtrace; name a file that `failtrace export` wrote.")
    version = found.get("version")
    if type(version) is not int or version != VERSION:
        raise InputError(
            f"The export has version {version!r:.20} and this failtrace reads version {VERSION}; upgrade failtrace."
        )


def _parsed(number: int, raw: bytes) -> Line:
    try:
        head_end = raw.find(_RECORD)
        if head_end >= 0 and raw.startswith(b'{"type":"execution"'):
            # One copy of a long record, no more.
            body = raw[head_end + len(_RECORD) : len(raw.rstrip(b"\r\n")) - 1]
            return _execution(_value(raw[:head_end] + b"}"), body)
        return _small(_value(raw))
    except (ValidationError, UnreadableRecord, ValueError, KeyError, TypeError) as error:
        return Bad(number, _why(error))


def _execution(head: Any, body: bytes) -> Archived:
    stored_at, sha256 = head["stored_at"], head["sha256"]
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ValueError("its record does not match its sha256")
    if not isinstance(stored_at, int) or not EARLIEST <= stored_at <= LATEST:
        raise ValueError("its time of storing is no time")
    if _count(body) > _MANY_MARKS and (marks := _marks_of(body)) > _MANY_MARKS:
        if marks > MOST_MARKS:
            raise ValueError(f"its record has more than {MOST_MARKS:,} commas, colons and brackets")
        check_shape(body)
    record = decode_record(body)
    if longest(record) > LONGEST_DURATION:
        raise ValueError("it lasted longer than anything can")
    return Archived(entry_of(record, body, sha256), stored_at)


def _count(text: bytes) -> int:
    return sum(map(text.count, _MARKS))


def _marks_of(body: bytes) -> int:
    """The marks outside of texts, where each is about a value; inside they are letters like any other."""
    marks = inside = start = 0
    while start < len(body):
        end = start + _STRETCH
        while body[end - 1 : end] == b"\\":  # what it escapes is of the same stretch
            end += 1
        parts = body[start:end].replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        marks += _count(b"".join(parts[inside::2]))
        inside = (inside + len(parts) - 1) % 2
        start = end
    return marks


def longest(record: TraceRecord) -> float:
    """The greatest number among a record's durations and limits, whatever its sign."""
    spans = [record.duration_ms, *[step.duration_ms for step in record.steps]]
    timed: list[object] = [record.outcome, *[item for verdict in record.verdicts for item in verdict.evidence]]
    if record.failure:
        spans.append(record.failure.duration_ms)
        timed += record.failure.evidence
    for item in timed:
        if isinstance(item, (TimedOut, DeadlineExceeded)):
            spans += [item.limit_s, item.elapsed_s]
    return max(abs(span) for span in spans)


def _small(found: Any) -> Line:
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    kind = found.pop("type", None)
    if kind == "run":
        return RunLine.model_validate(found)
    if kind == "summary":
        return _summary(SummaryLine.model_validate(found))
    if kind == "end":
        return End.model_validate(found)
    raise ValueError(f"its type {kind!r:.40} is unknown")


def _summary(line: SummaryLine) -> Archived:
    if line.failure_type not in _TYPES or (line.failure_type == PASSED) is not (line.failure_id is None):
        raise ValueError(f"its failure_type {line.failure_type!r:.40} does not fit its failure_id")
    columns = line.model_dump(exclude={"stored_at"}) | {
        "sha256": bytes.fromhex(line.sha256),
        "input_key": bytes.fromhex(line.input_key) if line.input_key else None,
    }
    return Archived(Entry(**columns, body=b"", text=""), line.stored_at)


def _value(raw: bytes) -> Any:
    """Raises ValueError for what is no JSON, too long for a line without a record, or nested too deep to be read."""
    if len(raw) > LONGEST_SMALL:
        raise ValueError(f"it is longer than {LONGEST_SMALL:,} bytes and holds no record")
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return f"{error}" if isinstance(error, (UnreadableRecord, ValueError)) else f"a field is missing ({error})"


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
