"""What this installation catches: every hostile subject by its name, the siblings beside them, and the host after them.

Prints the figures: how many are caught, the longest time beyond a limit, siblings, what is left.
"""

import dataclasses
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from failtrace import hostile, run_with_failure_detection
from failtrace.cli.doctor import doctor
from failtrace.contracts import Raised
from failtrace.errors import ExecutionError
from failtrace.execution.family import can_tell_families
from failtrace.hostile import AT_ONCE, GRACE_S, Caught, run_hostile, run_hostile_apart
from failtrace.mirror.mirror import Mirror
from failtrace.settings import Settings
from failtrace.subjects.hostile import HEALTHY, HOSTILE
from failtrace.subjects.hostile.catalogue import Hostile, dies_by, raises, returns

BESIDE = ["siblings", "host"]
NAMES = [subject.name for subject in HOSTILE]
UNKEPT = {"memory_bomb", "fork_bomb"} if sys.platform != "linux" else set()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Caught]:
    """One run of `failtrace doctor --hostile --json --keep`, by name."""
    home = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-m", "failtrace", "doctor", "--hostile", "--json", "--keep"]
    environment = {**os.environ, "FAILTRACE_HOME": str(home)}
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment)
    elapsed_s = time.monotonic() - began
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.pop("type") for line in told] == ["caught"] * len(told), done.stderr
    found = {caught.name: caught for caught in (Caught(**line) for line in told)}
    assert done.returncode == int(not all(caught.caught for caught in found.values()))
    print_figures(found, elapsed_s)
    return found


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts these in the place of all hostile subjects."""

    def put(*subjects: Hostile) -> None:
        monkeypatch.setattr(hostile, "HOSTILE", list(subjects))

    return put


def print_figures(found: dict[str, Caught], elapsed_s: float) -> None:
    subjects = [found[subject.name] for subject in HOSTILE]
    late = max(past_limit_s(caught) for caught in subjects)
    caught = sum(caught.caught for caught in subjects)
    print(
        f"\nhostile subjects: {caught} of {len(subjects)} caught, {AT_ONCE} at once, "
        f"latest {late:+.2f} s by its limit (at most +{GRACE_S:g} s); siblings: {found['siblings'].seen} "
        f"host: {found['host'].seen} In all {elapsed_s:.1f} s."
    )


def past_limit_s(caught: Caught) -> float:
    """Below zero for what ended before; siblings and host have no limit."""
    return caught.elapsed_s - (caught.limit_s or caught.elapsed_s)


def named(name: str) -> Hostile:
    return next(subject for subject in HOSTILE if subject.name == name)


@pytest.mark.parametrize("name", [*NAMES, *BESIDE])
def test_it_is_caught(seen: dict[str, Caught], name: str) -> None:
    """Each comes to what is expected of it, and harms neither siblings nor host; how late it may be, soak asserts."""
    caught = seen[name]

    late = f"and its limit is {caught.limit_s:g} s." if caught.limit_s else "no limit"
    assert (caught.caught or caught.seen.endswith(late)) is (name not in UNKEPT), caught
    assert caught.title
    assert caught.seen


def test_each_is_shown_once(seen: dict[str, Caught]) -> None:
    """As they end, and last what was beside them."""
    assert sorted(seen) == sorted([*NAMES, *BESIDE])
    assert list(seen)[-2:] == BESIDE


def test_the_issue_s_list_is_complete() -> None:
    """Whatever a hostile world was said to hold is there."""
    titles = {subject.title for subject in HOSTILE}

    assert titles == {
        "Hangs in C code", "Ignores every signal", "Segmentation fault", "Abort", "SIGKILL", "Memory bomb",
        "Fork and orphan", "500 threads left behind", "Endless output", "Closes every descriptor",
        "Changes directory, umask, environment", "sys.exit", "Endless recursion", "Exception that cannot be printed",
        "BaseException", "Nested exception groups", "Values that cannot be serialised", "50 MB strings",
        "Lone surrogates", "Never closes a generator", "Blocks the event loop", "Secrets in every place",
        "Endless computing", "Endless steps", "Fork bomb",
    }  # fmt: skip


def test_what_is_kept_opens_by_its_id(seen: dict[str, Caught], tmp_path_factory: pytest.TempPathFactory) -> None:
    """With --keep every failure is a record under its failure_id, and what passed has none."""
    home = next(tmp_path_factory.getbasetemp().glob("hostile*"))
    environment = {**os.environ, "FAILTRACE_HOME": str(home)}
    failed = seen["segmentation_fault"].failure_id

    shown = subprocess.run(
        [sys.executable, "-m", "failtrace", "show", str(failed), "--json"],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip

    assert json.loads(shown.stdout)["outcome"]["termination"]["signal"] == "SIGSEGV"
    passes = {"threads_left_behind", "fork_and_orphan", "close_every_descriptor", "change_everything"}
    passes |= {"never_close_a_generator", "return_the_unserialisable", *BESIDE}
    assert {name for name, caught in seen.items() if caught.failure_id is None} == passes
    assert list((home / "journal").iterdir()) == []


def test_a_process_of_its_own_tells_the_same() -> None:
    """For a host that has other things to do: one Caught after another, nothing stored, and nothing filed twice."""
    told = list(run_hostile_apart())

    assert sorted(caught.name for caught in told) == sorted([*NAMES, *BESIDE])
    assert {caught.failure_id for caught in told} == {None}
    assert not Settings.load().mirror_path.exists()


def test_a_process_of_its_own_that_ends_early_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever shows it knows that there is nothing to show, and what to do."""
    monkeypatch.setenv("FAILTRACE_TIMEOUT", "never")

    with pytest.raises(ExecutionError, match=r"their process ended with 2; run `failtrace doctor --hostile`"):
        list(run_hostile_apart())


def test_what_nobody_asks_for_any_more_is_ended() -> None:
    """A tab that is closed leaves no process behind."""
    told = run_hostile_apart()
    first = next(told)
    told.close()

    assert isinstance(first, Caught)


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        (returns("it returns"), "That is not what was expected."),
        (dies_by("SIGKILL", "read"), "That is not what was expected."),
        (dies_by("SIGSEGV", "another step"), "That is not what was expected."),
        (raises("ValueError", "recorded"), "That is not what was expected."),
        (dies_by("SIGSEGV", "read"), ""),
    ],
    ids=["passed", "another-signal", "another-step", "another-outcome", "right"],
)
def test_the_eye_is_not_blind(expected: Any, wrong: str, only: Any) -> None:
    """A subject that ends otherwise than it should is shown as not caught, with what was seen."""
    only(dataclasses.replace(named("segmentation_fault"), expected=expected))

    first = next(iter(run_hostile()))

    seen = "The subject's process was ended by SIGSEGV. The open step was 'read'."
    assert (first.caught, first.seen) == (not wrong, f"{seen} {wrong}".strip())


SEEN = {
    "threads_left_behind": r"500 threads, 0 of them left\.",
    "fork_and_orphan": r"3 processes left behind, 0 of them alive\.",
    "close_every_descriptor": r"Of its \d+ open descriptors 0 stayed open\. The step 'afterwards' was .+ itself\.",
    "change_everything": r"Its directory .+ became /, umask \d+ became 777, .+; here they are .+ variables\.",
    "never_close_a_generator": r"The step 'stream' was ended by the end of what it stood in\.",
    "return_the_unserialisable": r"9 values were replaced by a marker: bytes 1, cycle 1, .+, object 3, set 1\.",
}


@pytest.mark.parametrize("name", SEEN)
def test_of_what_returned_more_is_seen(seen: dict[str, Caught], name: str) -> None:
    """What the record shows, or what is there afterwards."""
    assert re.fullmatch(f"The subject returned. {SEEN[name]}", seen[name].seen), seen[name].seen


@pytest.mark.parametrize(
    ("name", "output", "told"),
    [
        ("threads_left_behind", {"process": os.getpid(), "threads": 500}, "500 threads, 500 of them left."),
        ("fork_and_orphan", [os.getpid()] * 3, "3 processes left behind, 3 of them alive."),
        ("change_everything", {"before": {"umask": "123"}, "after": {"umask": "777"}}, "umask 123 became 777"),
        ("return_the_unserialisable", {"all": "of it"}, "No value was replaced."),
        *[(name, None, "") for name in SEEN],
    ],
)
def test_what_is_left_or_noticed_is_seen(name: str, output: Any, told: str) -> None:
    """The record alone would say that the subject returned; one without what it should tell is not caught either."""
    expected = named(name).expected
    record = run_with_failure_detection(HEALTHY)[1].model_copy(update={"output": output, "steps": ()})

    assert not expected.holds(record)
    assert told in expected.seen(record)


@pytest.mark.parametrize("name", ["endless_recursion", "raise_nested_groups"])
def test_an_error_without_bounds_is_not_caught(name: str) -> None:
    """A traceback of megabytes, and groups in groups beyond what is kept, whatever their type."""
    subject = named(name)
    record = run_with_failure_detection(subject.subject)[1]
    error = record.outcome.error  # type: ignore[union-attr]
    long, deep = error.model_copy(update={"stacktrace": "x" * 10**6}), error
    for _ in range(5):
        deep = error.model_copy(update={"exceptions": (deep,)})
    holds = [
        subject.expected.holds(record.model_copy(update={"outcome": Raised(error=each)}))
        for each in (error, long, *([deep] if error.exceptions else []))
    ]

    assert holds == [True] + [False] * (len(holds) - 1)
    assert "characters, the record" in subject.expected.seen(record)


def test_what_comes_late_is_not_caught(only: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its limit and the grace the right end is no longer right."""
    monkeypatch.setattr(hostile, "GRACE_S", -20.5)
    only(named("leave_by_sys_exit"))

    first = next(iter(run_hostile()))

    assert not first.caught
    assert "its limit is 20 s" in first.seen


def test_what_a_platform_cannot_keep_is_not_caught() -> None:
    """It is said plainly, whatever came of the subject."""
    fork_bomb = named("fork_bomb")
    inline = dataclasses.replace(HEALTHY, process_limit=16)
    record = run_with_failure_detection(inline, isolation="inline")[1]

    wrong = hostile._what_is_wrong(fork_bomb, record, 0.1)

    assert wrong == "This platform does not enforce process_limit."


def test_what_cannot_even_be_run_is_not_caught(only: Any) -> None:
    """An installation that is ill says how, and the others are still shown."""
    ill = dataclasses.replace(named("abort").subject, function=lambda: None, source="no.such.module:f")
    broken = dataclasses.replace(named("abort"), subject=ill, input=(letter for letter in "no pickle"))
    only(broken, named("segmentation_fault"))

    told = {caught.name: caught for caught in run_hostile()}

    assert {name: caught.caught for name, caught in told.items()} == {
        "f": False, "segmentation_fault": True, "siblings": True, "host": True,
    }  # fmt: skip
    assert told["f"].seen.startswith("Cannot send 'hostile: abort' and its input")


def test_siblings_that_fail_or_differ_are_seen() -> None:
    """One that fails, or that finds something else around itself, is enough."""
    passed = run_with_failure_detection(HEALTHY)[1]
    failed = run_with_failure_detection(named("leave_by_sys_exit").subject)[1]
    moved = passed.model_copy(update={"output": {"directory": "/elsewhere"}})
    told = []
    for others in ([passed], [failed], [moved]):
        siblings = hostile._Siblings(hostile.Settings.load(), alone=passed)
        siblings._records += others
        told.append(siblings.caught(1.0))

    assert [caught.caught for caught in told] == [True, False, False]
    assert [caught.seen for caught in told] == [
        "2 of 2 executions passed.",
        "1 of 2 executions passed.",
        "2 of 2 executions passed. They found 2 different surroundings.",
    ]


def test_a_host_that_changed_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A descriptor, a directory, a variable, the umask: each is named."""
    before = hostile._Host.now()
    monkeypatch.setenv("CHANGED", "yes")
    monkeypatch.chdir(tmp_path)
    umask = os.umask(0o123)
    with (tmp_path / "left open").open("w"):
        told = before.caught(1.0)
    os.umask(umask)

    assert not told.caught
    assert told.seen.startswith("Changed: descriptors, directory, umask, environment.")


@pytest.mark.skipif(not can_tell_families(), reason="no /proc that tells whose child a process is")
def test_a_process_that_is_left_is_seen() -> None:
    """Whatever lives below a supervisor is counted; here a shell's shell stands for one."""
    with subprocess.Popen(["sh", "-c", "sh -c 'sleep 60 & echo started; wait'; true"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == b"started\n"
        left = hostile._left_over()
        for pid in [*hostile.descendants(shell.pid), shell.pid]:
            os.kill(pid, 9)

    assert left == 1


@pytest.mark.parametrize(("right", "code"), [(True, 0), (False, 1)], ids=["caught", "not-caught"])
def test_the_command_tells_it_to_people(right: bool, code: int, only: Any) -> None:
    """A row each; what was not caught says what was expected, and the exit code is 1. The deed is filed."""
    subject = named("leave_by_sys_exit")
    only(subject if right else dataclasses.replace(subject, expected=returns("it returns quietly")))

    done = CliRunner().invoke(doctor, ["--hostile"], standalone_mode=False)

    first, siblings, host, summed_up = done.output.splitlines()
    assert done.return_value == code
    assert first.split()[:2] == ["✓" if right else "✗", "sys.exit"]
    assert "SystemExit: 3" in first
    assert ("Expected: it returns quietly." in first) is not right
    assert siblings.startswith("✓ Healthy subjects beside them")
    assert host.startswith("✓ The program that ran them")
    assert summed_up == f"{int(right)} of 1 caught; nothing beside them was touched."
    with Mirror.open(Settings.load().mirror_path) as mirror:
        assert [(row.deed, row.detail) for row in mirror.audit()[0]] == [("ran the hostile subjects", "25 of them")]


def test_keeping_what_was_not_run_is_refused() -> None:
    """--keep goes with --hostile only."""
    done = subprocess.run([sys.executable, "-m", "failtrace", "doctor", "--keep"], capture_output=True, text=True)

    assert done.returncode == 2
    assert "--keep stores the records of --hostile; give both." in done.stderr
