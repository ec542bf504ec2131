"""Random bytes, values and addresses for whatever reads what others wrote; the worst that was seen is told."""

import gzip
import io
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.records import make_record

from failtrace.capture.journal import parse_journal
from failtrace.capture.sanitiser import MAX_BYTES, Marks, sanitise, sanitise_attributes
from failtrace.codec import digest, encode_record
from failtrace.contracts import FailureType
from failtrace.errors import FailtraceError
from failtrace.exchange import archive
from failtrace.exchange.pasted_id import id_in
from failtrace.inputs import JsonLines, parse_line
from failtrace.mirror.archive import Archived
from failtrace.mirror.writes import entry_of
from failtrace.recover import MOST_READ, find_in_journal
from failtrace.ui.run.preview import preview_lines, preview_pasted
from failtrace.ui.url_state import CompareAddress, FailureAddress, FailuresAddress, RunAddress, misread

_TEXTS = st.one_of(
    st.text(st.characters(), max_size=200),
    st.sampled_from(
        ["$failtrace", "password=hunter2", "Bearer abc.def.ghi", "\ud800", "\x00", "://a:b@c", "-----BEGIN "]
    ),
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=100),
    st.datetimes(),
    st.decimals(),
    st.uuids(),
    st.complex_numbers(),
    _TEXTS,
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=8),
        st.lists(inner, max_size=8).map(tuple),
        st.dictionaries(st.one_of(_TEXTS, st.integers(), st.none()), inner, max_size=8),
        st.sets(st.one_of(st.integers(), _TEXTS), max_size=8),
        inner.map(lambda value: _cyclic(value)),
    ),
    max_leaves=40,
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=20), inner, max_size=5)),
    max_leaves=20,
)
_KINDS = st.sampled_from(
    [
        "open",
        "begin",
        "start",
        "end",
        "dropped",
        "log",
        "deadline",
        "unloadable",
        "broken",
        "exit",
        "outcome",
        "host",
        "live",
    ]
)
_NAMES = ("q", "type", "subject", "range", "run_id", "fingerprint", "from", "to", "sort", "after", "failure_id", "step")
_PARAMETERS = st.dictionaries(
    st.sampled_from([*_NAMES, "against", "left", "right", *[f"list_{name}" for name in _NAMES]]),
    st.one_of(_TEXTS, st.lists(_TEXTS, max_size=4), st.datetimes().map(str), st.integers().map(str)),
)


def _cyclic(value: object) -> list[object]:
    holder = [value]
    holder.append(holder)
    return holder


@st.composite
def _torn(draw: st.DrawFn, whole: bytes) -> bytes:
    """These bytes with some cut out, some put in and some turned over."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 40))
        data[at : at + cut] = draw(st.one_of(st.binary(max_size=40), st.just(b"[" * 3000), st.just(b"\n")))
    return bytes(data)


def _export() -> bytes:
    lines = [archive.header()]
    for number, kind in enumerate((*FailureType, None), 1):
        record = make_record(kind, number=number)
        body = encode_record(record)
        entry = entry_of(record, body, digest(body))
        lines += [
            archive.execution_line(Archived(entry, 1)),
            archive.execution_line(Archived(entry._replace(body=b""), 1)),
        ]
    return b"".join([*lines, archive.end_line(archive.End(runs=0, executions=8))])


def _sanitiser(value: Any) -> None:
    result = sanitise(value, Marks())
    encoded = json.dumps(result, allow_nan=False)
    assert len(encoded) < 8 * MAX_BYTES
    assert sanitise(result, Marks()) == result
    json.dumps(sanitise_attributes({"any": value}, Marks()), allow_nan=False)


def _journal(data: bytes) -> None:
    lines = parse_journal(data)
    assert len(lines.lines) + lines.torn <= data.count(b"\n") + 1
    with TemporaryDirectory() as folder:
        for suffix in MOST_READ:
            (Path(folder) / f"any{suffix}").write_bytes(data)
        find_in_journal(Path(folder), "any")


def _importers(data: bytes) -> None:
    try:
        found = list(archive.read(io.BytesIO(data)))
    except FailtraceError:
        found = []
    assert len(found) <= data.count(b"\n") + 1
    with TemporaryDirectory() as folder:
        packed, plain = Path(folder) / "any.gz", Path(folder) / "any.jsonl"
        packed.write_bytes(gzip.compress(data, 1)[: len(data)])
        plain.write_bytes(data)
        with suppress(FailtraceError), archive.reading(packed) as file:
            list(archive.read(file))
        lines = JsonLines(plain)
        assert len(list(lines)) + lines.bad_lines == lines.line_count
    preview_lines(data)
    preview_pasted(data.decode("utf-8", "replace"))
    id_in(data.decode("utf-8", "surrogateescape"))
    with suppress(ValueError):
        parse_line(data)


def _addresses(params: dict[str, Any]) -> None:
    for kind in (RunAddress, FailuresAddress, FailureAddress, CompareAddress):
        read = kind.read(params)  # type: ignore[attr-defined]
        read.link.encode()
    again = FailuresAddress.read(FailuresAddress.read(params).params)
    assert again == FailuresAddress.read(params)
    misread(params)


_LINES = st.lists(
    st.builds(lambda kind, rest: {**rest, "k": kind}, _KINDS, st.dictionaries(st.text(max_size=9), _JSON))
)
TARGETS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]] = {
    "sanitiser": (_VALUES, _sanitiser),
    "journal reader": (
        st.one_of(
            st.binary(max_size=2000),
            _LINES.map(lambda lines: "\n".join(map(json.dumps, lines)).encode()),
            _LINES.flatmap(lambda lines: _torn("\n".join(map(json.dumps, lines)).encode())),
        ),
        _journal,
    ),
    "importers": (st.one_of(st.binary(max_size=2000), _torn(_export())), _importers),
    "URL state": (_PARAMETERS, _addresses),
}


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What a target took: its examples, its slowest one, and by how much the process grew."""

    examples: int
    slowest_s: float
    grown_bytes: int


def fuzz(name: str, examples: int) -> Fuzzed:
    """So many random examples of a target, other ones each time; a crash is raised with what caused it."""
    strategy, target = TARGETS[name]
    seen, slowest = 0, 0.0
    before = psutil.Process().memory_info().rss

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(value: Any) -> None:
        nonlocal seen, slowest
        start = time.perf_counter()
        target(value)
        seen, slowest = seen + 1, max(slowest, time.perf_counter() - start)

    one()
    return Fuzzed(seen, slowest, psutil.Process().memory_info().rss - before)
