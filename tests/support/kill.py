"""`kill -9` of subjects and of runners at random moments, and what must be true afterwards."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from support.mortal import OUTERMOST, lives, works

from failtrace import Runner, TraceRecord, TraceStore
from failtrace.contracts import Crashed, EndedBy, FailureType, Returned
from failtrace.services import open_services
from failtrace.settings import Settings

WORKERS = 4
SPIN = 50_000
"""A killer works up to this amount between the moment it was asked and the kill."""
AMOUNT = 3000
STEPS = 8
INPUTS = 40
"""Executions of a run that is to be killed: more than it ever gets through."""
GONE_LIMIT_S = 30
MARK = "KILLED_RUNNER"
"""Environment variable by which the processes of a killed runner are known."""


def kill_subjects(count: int, folder: Path, seed: int) -> None:
    """Kill `count` subjects, each among siblings, and hold every record to the truth."""
    chance = random.Random(seed)
    pipe, diaries = folder / "pipe", folder / "diaries"
    os.mkfifo(pipe)
    diaries.mkdir()
    tasks = [_task(diaries, number, chance) for number in range(2 * count)]
    for victim in tasks[::2]:
        victim |= {"steps": None, "pipe": str(pipe), "asks_at": chance.randrange(STEPS)}
    with TraceStore.open("memory") as store:
        with _killer(pipe, chance) as killed:
            report = Runner(store, workers=WORKERS).run([lives], tasks)
        records = [store.get_trace(result.trace_id) for result in report.results]
    assert (len(killed), report.failed, report.passed, report.stored) == (count, count, count, 2 * count)
    for record in records:
        assert record is not None
        if record.input["steps"] is None:
            _check_killed(record, _diary(diaries, record))
            assert record.outcome.termination.signal == "SIGKILL"
        else:
            _check_whole(record)
    assert _left(Settings.load()) == []
    assert [pid for pid in killed if psutil.pid_exists(pid)] == []


@contextmanager
def _killer(pipe: Path, chance: random.Random) -> Iterator[list[int]]:
    """Kills who asks for it on the pipe, a random while later; gives the pids."""
    killed: list[int] = []
    # Both ways, so that the end of one writer is not the end of the file.
    with open(os.open(pipe, os.O_RDWR), "r+b", buffering=0) as ends:  # noqa: PTH123  it opens a descriptor

        def kill_who_asks() -> None:
            for line in iter(ends.readline, b"stop\n"):
                works(chance.randrange(SPIN))
                os.kill(int(line), signal.SIGKILL)
                killed.append(int(line))

        thread = threading.Thread(target=kill_who_asks)
        thread.start()
        try:
            yield killed
        finally:
            ends.write(b"stop\n")
            thread.join()


def kill_runners(count: int, folder: Path, seed: int) -> None:
    """Kill `failtrace run` itself `count` times; the next start, and a last one, must have everything right.

    A start recovers what the one before left, so some kills strike a recovery.
    """
    chance = random.Random(seed)
    diaries = folder / "diaries"
    diaries.mkdir()
    acknowledged: dict[str, dict[str, Any]] = {}
    for number in range(count):
        acknowledged |= _run_and_kill(folder, diaries, f"round-{number}", chance)
    settings = Settings.load(keep_passed=count * INPUTS)
    services = open_services(settings)
    records = [services.store.get_trace(trace_id) for trace_id in _all_trace_ids(services.store)]
    services.close()
    _check_all(records, acknowledged, diaries)
    assert _left(settings) == []


def _run_and_kill(folder: Path, diaries: Path, name: str, chance: random.Random) -> dict[str, dict[str, Any]]:
    """One killed run; gives the executions that it had acknowledged, by trace_id."""
    pipe, inputs, out = folder / f"{name}.pipe", folder / f"{name}.jsonl", folder / f"{name}.out"
    os.mkfifo(pipe)
    tasks = [{**_task(diaries, number, chance), "pipe": str(pipe)} for number in range(INPUTS)]
    # One that does not end by itself, and says nothing to the pipe.
    tasks[chance.randrange(WORKERS)] |= {"steps": None, "pipe": None}
    inputs.write_text("".join(f"{json.dumps(task)}\n" for task in tasks))
    environment = {
        **os.environ,
        MARK: f"{folder}/{name}",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "FAILTRACE_KEEP_PASSED": "1000000",
    }
    command = [sys.executable, "-m", "failtrace", "run", "support.mortal:lives", "--inputs", str(inputs), "--json"]
    with open(os.open(pipe, os.O_RDWR), "r+b", buffering=0) as asks, out.open("wb") as stdout:  # noqa: PTH123
        runner = subprocess.Popen(
            [*command, "--workers", str(WORKERS), "--run-id", name], env=environment, stdout=stdout
        )
        watcher = threading.Thread(target=lambda: (runner.wait(), asks.write(b"ended\n")))
        watcher.start()
        for _ in range(chance.randrange(STEPS * INPUTS // 2)):
            assert asks.readline() != b"ended\n", "the run ended before it was killed"
        works(chance.randrange(SPIN))
        runner.kill()
        watcher.join()
    _wait_until_gone(environment[MARK])
    return {line["trace_id"]: line for line in _whole_lines(out) if line["type"] == "execution"}


def _whole_lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _wait_until_gone(mark: str) -> None:
    """All processes that the runner left must end by themselves."""
    while marked := [process for process in psutil.process_iter() if _environment(process).get(MARK) == mark]:
        _, alive = psutil.wait_procs(marked, timeout=GONE_LIMIT_S)
        assert alive == []


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def _all_trace_ids(store: TraceStore) -> Iterator[str]:
    after = None
    while True:
        page = store.mirror.executions(after=after)
        yield from (row.trace_id for row in page.rows)
        after = page.after
        if after is None:
            return


def _check_all(records: list[TraceRecord | None], acknowledged: dict[str, dict[str, Any]], diaries: Path) -> None:
    """Nothing lost, nothing twice, nothing made up."""
    by_trace = {record.trace_id: record for record in records if record is not None}
    assert len(by_trace) == len(records)
    assert max(Counter((r.run_id, r.input["number"]) for r in by_trace.values()).values()) == 1
    assert {path.name for path in diaries.iterdir()} <= by_trace.keys()
    for trace_id, line in acknowledged.items():
        record = by_trace[trace_id]
        assert (record.failure_id, record.outcome.kind, True) == (line["failure_id"], line["outcome"], line["stored"])
    for record in by_trace.values():
        diary = _diary(diaries, record)
        if isinstance(record.outcome, Returned):
            assert diary[-1] == "end"
            _check_whole(record)
        else:
            _check_killed(record, diary)


def _task(diaries: Path, number: int, chance: random.Random) -> dict[str, Any]:
    return {"diaries": str(diaries), "number": number, "steps": STEPS, "amount": chance.randrange(AMOUNT)}


def _diary(diaries: Path, record: TraceRecord) -> list[str]:
    """What the execution said of itself; empty where it never began."""
    path = diaries / record.trace_id
    return path.read_text().splitlines() if path.exists() else []


def _check_whole(record: TraceRecord) -> None:
    """It passed, with the right output and every step ended by itself."""
    task = record.input
    assert record.failure is None
    assert record.output == {"number": task["number"], "total": STEPS * works(task["amount"])}
    assert [step.name for step in record.steps] == _names(STEPS + 1)
    assert {step.ended_by for step in record.steps} == {EndedBy.ITSELF}


def _check_killed(record: TraceRecord, diary: list[str]) -> None:
    """A failure by the death of its process, with every step that had started, the open ones closed by that death."""
    assert record.failure is not None
    assert record.failure.failure_type is FailureType.EXCEPTION
    assert isinstance(record.outcome, Crashed)
    opened = sum(line.startswith("open") for line in diary)
    names = [step.name for step in record.steps]
    assert names == _names(len(names))
    assert opened <= len(names) <= opened + 1
    last_open = record.outcome.termination.last_open_step_id
    assert record.failure.step_id == last_open
    unfinished = [step for step in record.steps if step.ended_by is EndedBy.PROCESS_DEATH]
    assert last_open == (unfinished[-1].step_id if unfinished else None)
    assert (unfinished[-1].name if unfinished else None) in _possibly_open(diary, record.input["steps"])


def _left(settings: Settings) -> list[str]:
    """What is still in the journal."""
    return sorted(path.name for path in settings.journal_path.iterdir())


def _names(steps: int) -> list[str]:
    return [OUTERMOST, *(f"step {number}" for number in range(steps - 1))][:steps]


def _possibly_open(diary: list[str], steps: int | None) -> set[str | None]:
    """Names of the steps that can have been open last: between two lines of a diary lies one step's end or start."""
    if not diary:
        return {None, OUTERMOST}
    word, _, which = diary[-1].partition(" ")
    if word == "end":
        return {None}
    if which == "outermost":
        return {OUTERMOST, "step 0"}
    if word == "open":
        return {f"step {which}"}
    following = int(which) + 1
    return {f"step {which}", OUTERMOST, None if following == steps else f"step {following}"}
