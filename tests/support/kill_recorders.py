"""`kill -9` of a program that stores records as fast as it can, and what must be true of the mirror afterwards."""

import random
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from support.kill import SPIN
from support.mortal import works

from failtrace.mirror.mirror import Mirror

TESTS = Path(__file__).parents[1]
APART = 100_000
"""Numbers of one round; no recorder lives that long."""
AT_ONCE = 8
RECORDER = """
import sys
from pathlib import Path
from support.records import make_record
from failtrace import FailureType, TraceStore
from failtrace.settings import Settings
number, at_once = int(sys.argv[2]), int(sys.argv[3])
store = TraceStore.open("memory", settings=Settings.load(home=Path(sys.argv[1])))
while True:
    batch = [make_record(FailureType.EXCEPTION, number=number + k) for k in range(at_once)]
    store.store_traces(batch)
    number += at_once
    print(number, flush=True)
"""


class Told(NamedTuple):
    """What became of all records."""

    kills: int
    acknowledged: int
    lost: int
    twice: int
    unsound: int
    """Records whose bytes do not match their sha256."""


def kill_recorders(kills: int, least: int, home: Path, seed: int) -> Told:
    """Kill a recorder again and again on one mirror, until there were so many kills and acknowledged records."""
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    rounds = 0
    while rounds < kills or len(acknowledged) < least:
        first = APART * (rounds + 1)
        acknowledged.update(range(first, _store_until_killed(home, first, chance)))
        rounds += 1
    return _held_to(home, rounds, acknowledged)


def _store_until_killed(home: Path, first: int, chance: random.Random) -> int:
    """The number behind the last one that was acknowledged."""
    command = [sys.executable, "-c", RECORDER, str(home), str(first), str(AT_ONCE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TESTS) as recorder:
        assert recorder.stdout is not None
        # Some are killed before they have stored anything, some while they open the mirror.
        for _ in range(chance.randrange(20)):
            first = int(recorder.stdout.readline())
        works(chance.randrange(SPIN))
        recorder.kill()
        whole = [line for line in recorder.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    return max([first, *map(int, whole)])


def _held_to(home: Path, kills: int, acknowledged: set[int]) -> Told:
    with Mirror.open(home / "mirror.sqlite") as mirror:
        rows = [found.entry for found in mirror.archive.executions()]
        assert mirror.is_sound()
    there = [int(entry.trace_id, 16) for entry in rows]
    unsound = sum(sha256(entry.body).digest() != entry.sha256 for entry in rows)
    # A batch is whole or not there at all.
    assert len(there) % AT_ONCE == 0
    assert len(there) - len(acknowledged) <= kills * AT_ONCE
    return Told(kills, len(acknowledged), len(acknowledged - set(there)), len(there) - len(set(there)), unsound)
