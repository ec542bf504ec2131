import json
import threading
from contextlib import closing
from pathlib import Path

import pytest
from support.records import NOON
from support.secret_samples import TOKEN

from failtrace.errors import ExecutionError, InputError, NotAllowed
from failtrace.mirror.mirror import Mirror
from failtrace.services import load_registry
from failtrace.settings import Settings
from failtrace.ui.run.files import KEPT, RunFiles
from failtrace.ui.run.launch import cancel, start, underway
from failtrace.ui.run.request import LONGEST_INPUTS, RunRequest
from failtrace.ui.visitor import Visitor

RUNNER = Visitor("ada@example.test", may_run=True)
VIEWER = Visitor("bob@example.test", may_run=False)


@pytest.mark.parametrize(
    "request_",
    [
        RunRequest(()),
        RunRequest(("os:system",)),
        RunRequest(("answer", "--check")),
        RunRequest(("answer",), inputs=b" \n"),
        RunRequest(("answer",), inputs=b"1" * (LONGEST_INPUTS + 1)),
        RunRequest(("answer",), store="sqlite"),  # type: ignore[arg-type]
        RunRequest(("answer",), store="auto; rm"),  # type: ignore[arg-type]
        RunRequest(("answer",), store="cosmos"),
        RunRequest(("answer",), timeout_s=0.0),
        RunRequest(("answer",), timeout_s=float("nan")),
        RunRequest(("answer",), timeout_s="1; rm"),  # type: ignore[arg-type]
        RunRequest(("answer",), workers=0),
        RunRequest(("answer",), workers=True),
        RunRequest(("answer",), workers=10**9),
    ],
    ids=str,
)
def test_only_registered_subjects_on_bounded_inputs_may_start(request_: RunRequest, tmp_path: Path) -> None:
    """The server must refuse what the page would never offer, and start no process for it."""
    with pytest.raises(InputError):
        start(request_, {"answer"}, tmp_path, RUNNER)

    assert list(tmp_path.iterdir()) == []


def test_a_viewer_starts_and_cancels_nothing(tmp_path: Path) -> None:
    """The functions behind the buttons must refuse too: what a page does not draw can be asked for all the same."""
    with Mirror.open(tmp_path / "mirror.sqlite") as mirror:
        mirror.start_run("run-1", subjects=["answer"], planned=1, pid=1, at=NOON)
        with pytest.raises(NotAllowed, match=r"bob@example\.test may look but not start runs"):
            start(RunRequest(("answer",)), {"answer"}, tmp_path, VIEWER)
        with pytest.raises(NotAllowed, match="cancel runs"):
            cancel(mirror, "run-1", VIEWER)
        assert not mirror.cancel_requested("run-1")

        cancel(mirror, "run-1", RUNNER)

        assert mirror.cancel_requested("run-1")
        assert next((row.who, row.deed) for row in mirror.audit()[0]) == (RUNNER.name, "cancelled a run")
    assert not (tmp_path / "runs").exists()


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """Where the folder cannot be made, the reader gets our error, not an OSError."""
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(ExecutionError, match="Cannot start the run"):
        start(RunRequest(("answer",)), {"answer"}, file, RUNNER)


def test_a_run_is_a_process_of_its_own_with_our_run_id(clean_environment: Path) -> None:
    """A started run must file itself under the run_id given back, and its failures must be in the mirror."""
    name = next(subject.name for subject in load_registry(Settings.load()).subjects() if "exception" in subject.name)

    run_id = start(RunRequest((name,), inputs=b'{"any": 1}\n{"any": 2}\n'), {name}, clean_environment, RUNNER)
    next(thread for thread in threading.enumerate() if thread.name == f"run-{run_id}").join()

    with Mirror.open(clean_environment / "mirror.sqlite") as mirror:
        row, audited = mirror.run(run_id), mirror.audit()[0]
    summary = json.loads(RunFiles(clean_environment, run_id).log.read_text().splitlines()[-1])
    assert run_id not in underway()
    assert row is not None
    assert (row.state, row.subjects, row.executions) == ("finished", (name,), 2)
    assert [(it.who, it.deed, it.detail) for it in audited] == [(RUNNER.name, "started a run", f"{run_id}: {name}")]
    assert (summary["type"], summary["run_id"], summary["executions"]) == ("summary", run_id, 2)


def test_a_run_can_be_asked_for_again(tmp_path: Path) -> None:
    """What was asked for stands beside the log, for its owner alone; damaged or missing, it is as if unknown."""
    request = RunRequest(("answer",), inputs=b'{"any": 1}\nnot json\n', timeout_s=2.0, workers=1, store="memory")

    run_id = start(request, {"answer"}, tmp_path, RUNNER)

    files = RunFiles(tmp_path, run_id)
    kept = tmp_path / "runs" / f"{run_id}.json"
    assert files.request() == request
    assert [file.stat().st_mode & 0o077 for file in (kept, files.inputs, files.log)] == [0, 0, 0]
    for content in ("", "7", '{"subjects": 7, "has_inputs": false}', '{"subjects": ["a"], "more": 1}', "[" * 9999):
        kept.write_text(content)
        assert files.request() is None
    for foreign in ("no-such-run", "../runs/x", "\x00", f"{run_id}/../{run_id}"):
        assert (RunFiles(tmp_path, foreign).request(), RunFiles(tmp_path, foreign).sentences()) == (None, ())


def test_inputs_with_a_secret_reach_no_disk(clean_environment: Path) -> None:
    """The run gets them all the same, its lines are counted, and nothing of the secret is in any file of the home."""
    name = next(subject.name for subject in load_registry(Settings.load()).subjects() if "exception" in subject.name)
    lines = "".join(json.dumps({"api_key": TOKEN, "n": n}) + "\n" for n in range(3)) + "no json\n"

    run_id = start(RunRequest((name,), inputs=lines.encode()), {name}, clean_environment, RUNNER)
    next(thread for thread in threading.enumerate() if thread.name == f"run-{run_id}").join()

    files = RunFiles(clean_environment, run_id)
    with Mirror.open(clean_environment / "mirror.sqlite") as mirror:
        row = mirror.run(run_id)
    assert row is not None
    assert (row.executions, row.bad_lines) == (3, 1)
    assert files.request() is None
    assert not any("/dev/fd" in sentence for sentence in files.sentences())
    held = [
        path.name for path in clean_environment.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()
    ]
    assert held == []


def test_the_files_of_old_runs_go(tmp_path: Path) -> None:
    """Of the newest runs they are kept; whatever else is in the folder is not ours."""
    folder = tmp_path / "runs"
    folder.mkdir()
    for number in range(KEPT + 30):
        for suffix in ("log", "json", "jsonl"):
            (folder / f"00000000-0000-7000-8000-{number:012}.{suffix}").touch()
    (folder / "mine.log").touch()

    run_id = start(RunRequest(("answer",)), {"answer"}, tmp_path, RUNNER)

    assert len(list(folder.glob("*-*.log"))) == KEPT
    assert len(list(folder.glob("*-*.jsonl"))) == KEPT - 1
    assert RunFiles(tmp_path, run_id).log.exists()
    assert not (folder / "00000000-0000-7000-8000-000000000030.log").exists()
    assert (folder / "mine.log").exists()


def test_what_a_run_said_are_its_sentences(tmp_path: Path) -> None:
    """JSON lines are for programs; the rest is what it had to say, without the name of a file nobody knows."""
    run_id = "00000000-0000-7000-8000-000000000001"
    files = RunFiles(tmp_path, run_id)
    with closing(files.begin(RunRequest(("answer",), inputs=b"1"))) as begun:
        begun.log.write(b'{"type": "execution"}\n')
        begun.log.write(f"failtrace: Line 3 of {begun.inputs!r} is not JSON and was skipped: no.\n\n".encode())
        begun.log.write(b'{"type": "summary"}\n\xff\n')

    assert files.sentences() == ("Line 3 is not JSON and was skipped: no.", "\ufffd")
