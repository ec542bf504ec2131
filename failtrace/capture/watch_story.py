"""What the lines of a watched call tell, as those of an execution: read from a segment, or from memory."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

from failtrace.capture.journal import JournalLines

SAMPLE, DROPPED, WITHIN = "failtrace.watch.sample", "failtrace.watch.dropped", "failtrace.watch.within"
"""Attributes of a record: the share of passing calls that is kept, how many calls this process could not keep before,
and the trace_id of the watched call around this one."""
HOST_TRACE = "host.trace_id"
"""Attribute of a record: the trace of the host's own in which the call was made."""


def calls(journal: JournalLines) -> tuple[list[list[dict[str, Any]]], bool]:
    """The lines of each call that a segment still holds, and whether every whole line could be told apart."""
    found: dict[int, list[dict[str, Any]]] = {}
    for line in journal.lines[1:]:
        # Only an undamaged line has a number.
        if type(line.get("c")) is int:
            found.setdefault(line["c"], []).append(line)
    begun = [lines for lines in found.values() if lines[0]["k"] in ("live", "gone")]
    told_by = [line["k"] for line in journal.lines[:1]]
    if told_by not in ([], ["host"]):
        return [], False
    whole = sum(map(len, begun)) == len(journal.lines) - len(told_by)
    return [lines for lines in begun if lines[0]["k"] == "live"], whole


def lost_story(journal: JournalLines, lines: Sequence[dict[str, Any]], lived_until: int) -> JournalLines:
    """The lines of one of these calls as an execution's, ended by the loss of its process where nothing else ended it.

    `lived_until` is the last sign of life of that process, in nanoseconds. A torn line may be any call's: all count it.
    """
    host = journal.lines[0]
    told = story(host, lines)
    end: tuple[dict[str, Any], ...] = ()
    if told.first("outcome") is None:
        # The times of files come from a coarser clock than those of lines.
        last = max([lived_until, *[line["t"] + 1 for line in lines if "t" in line]])
        end = ({"k": "exit", "t": last, "killed": None, "stacks": "", "host_lost": True},)
    return JournalLines((*told.lines, *end), journal.torn + int(host["lost"]))


def story(host: dict[str, Any], lines: Sequence[dict[str, Any]]) -> JournalLines:
    """The lines of one call, the first of which is its `live`, as those of an execution."""
    live = lines[0]
    trace_id, failure_id = ids(host["salt"], live["c"], live["t"])
    given = next((line for line in reversed(lines) if line["k"] == "input"), live)
    opened = {
        "k": "open",
        "trace_id": trace_id,
        "failure_id": failure_id,
        "run_id": None,
        "subject": live["subject"],
        "timeout": live["timeout"],
        "limits": {},
        "input": given["input"],
        "attributes": _attributes(host, live),
        "environment": host["environment"],
        "t": live["t"],
        "marks": given["marks"],
    }
    begin = {"k": "begin", "t": live["t"]}
    return JournalLines((opened, begin, *[line for line in lines[1:] if line["k"] != "input"]), 0)


def _attributes(host: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if live.get("host_trace"):
        found[HOST_TRACE] = live["host_trace"]
    if live.get("within"):
        found[WITHIN] = ids(host["salt"], live["within"], live["t"])[0]
    if live["sample"]:
        found[SAMPLE] = live["sample"]
    if dropped := int(host["dropped"]):
        found[DROPPED] = dropped
    return found


def ids(salt: str, number: int, started: int) -> tuple[str, str]:
    """(trace_id, failure_id) of a call: the same whenever its lines are read. `started` is in nanoseconds.

    Reckoned from what is there, for random ids at each call would cost, and take from the host's own random numbers.
    """
    chance = blake2b(f"{salt} {number}".encode(), digest_size=26).digest()
    rest = int.from_bytes(chance[16:])
    stamp = (started // 1_000_000) & (2**48 - 1)
    # RFC 9562: 48 bits of milliseconds, the version, 12 bits of chance, the variant, 62 bits of chance.
    return chance[:16].hex(), str(
        UUID(int=stamp << 80 | 7 << 76 | (rest >> 62 & 0xFFF) << 64 | 2 << 62 | rest & (2**62 - 1))
    )
