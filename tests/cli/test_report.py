"""The end of a run: why executions are missing is told as it was."""

import json
from datetime import UTC, datetime

import pytest

from failtrace.cli.report import print_report
from failtrace.mirror.views import RunState
from failtrace.run_report import RunReport


def report(state: RunState, *, not_run: int, errored: int) -> RunReport:
    return RunReport(
        run_id="r1",
        state=state,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        elapsed_s=1.0,
        results=(),
        not_run=not_run,
        errored=errored,
        pending=0,
        problems=("The disk is full.",) if errored else (),
    )


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        pytest.param(report("cancelled", not_run=2, errored=0), ["2 executions not run: the run was stopped."], id="a"),
        pytest.param(report("finished", not_run=1, errored=0), ["1 execution not run."], id="inputs-ended-early"),
        pytest.param(
            report("finished", not_run=0, errored=1),
            ["1 execution could not be carried out; stderr says why."],
            id="errored",
        ),
        pytest.param(
            report("cancelled", not_run=1, errored=3),
            [
                "3 executions could not be carried out; stderr says why.",
                "1 execution not run: the run was stopped.",
            ],
            id="both",
        ),
        pytest.param(report("finished", not_run=0, errored=0), [], id="neither"),
    ],
)
def test_missing_executions_are_told_apart(
    ended: RunReport, told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Stopped, ended early and could not be carried out are three things, in words and as numbers."""
    print_report(ended, ended.problems, as_json=False)
    words = capsys.readouterr()
    print_report(ended, (), as_json=True)
    summary = json.loads(capsys.readouterr().out)

    assert words.out.splitlines()[2:] == told
    assert words.err.splitlines() == list(ended.problems)
    assert (summary["state"], summary["not_run"], summary["errored"]) == (ended.state, ended.not_run, ended.errored)
