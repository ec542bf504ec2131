import json
import threading
from pathlib import Path

import pytest
from support.records import NOON

from failtrace.errors import ExecutionError, InputError, NotAllowed
from failtrace.mirror.mirror import Mirror
from failtrace.services import load_registry
from failtrace.settings import Settings
from failtrace.ui.launch import LONGEST_INPUTS, RunRequest, cancel, log_tail, start
from failtrace.ui.visitor import Visitor

RUNNER = Visitor("ada@example.test", may_run=True)
VIEWER = Visitor("bob@example.test", may_run=False)


@pytest.mark.parametrize(
    "request_",
    [
        RunRequest(()),
        RunRequest(("os:system",)),
        RunRequest(("answer", "--check")),
        RunRequest(("answer",), inputs=" \n"),
        RunRequest(("answer",), inputs="1" * (LONGEST_INPUTS + 1)),
    ],
    ids=["nothing", "module:attribute", "an option as a name", "no inputs", "too much"],
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

    run_id = start(RunRequest((name,), inputs='{"any": 1}\n{"any": 2}\n'), {name}, clean_environment, RUNNER)
    next(thread for thread in threading.enumerate() if thread.name == f"run-{run_id}").join()

    with Mirror.open(clean_environment / "mirror.sqlite") as mirror:
        row, audited = mirror.run(run_id), mirror.audit()[0]
    summary = json.loads(log_tail(clean_environment, run_id).splitlines()[-1])
    assert row is not None
    assert (row.state, row.subjects, row.executions) == ("finished", (name,), 2)
    assert [(it.who, it.deed, it.detail) for it in audited] == [(RUNNER.name, "started a run", f"{run_id}: {name}")]
    assert (summary["type"], summary["run_id"], summary["executions"]) == ("summary", run_id, 2)
