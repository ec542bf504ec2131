"""Payloads in every text of a record: no page asks another host for anything, and nothing of them is executed."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser.conftest import Open, Watch
from playwright.sync_api import Page
from pydantic import ValidationError
from support.records import failure_id_of, item, make_record, make_step

from failtrace.contracts import (
    ContractViolation,
    DeadlineExceeded,
    ErrorInfo,
    FailureType,
    LogLine,
    Logs,
    OutputTail,
    Termination,
    TraceRecord,
    UnsupportedClaim,
)
from failtrace.mirror.mirror import Mirror

BEACON = "http://203.0.113.7"
MARKUP = f'"><img src={BEACON}/a.png onerror=executed=1><svg onload=executed=1><iframe src="{BEACON}/b"></iframe>'
PAYLOAD = (
    f"{MARKUP}<script>executed=1</script><link rel=stylesheet href={BEACON}/c.css>"
    f"<style>@import '{BEACON}/d.css';*{{background:url({BEACON}/e.png)}}</style> "
    f"![x]({BEACON}/f.png) [x](javascript:executed=1) <javascript:executed=1> $\\href{{javascript:executed=1}}{{x}}$ "
    f":material/home: :red[x] ';executed=1;// {{{{constructor.constructor('executed=1')()}}}} data:text/html,{MARKUP}"
)


def put_everywhere(record: TraceRecord, payload: str) -> tuple[TraceRecord, int]:
    """The record with the payload as every text that the contract leaves free, and how many."""
    whole, count = record.model_dump(mode="json"), 0

    def fits() -> bool:
        try:
            TraceRecord.model_validate_json(json.dumps(whole))
        except ValidationError:
            return False
        return True

    def visit(holder: Any, key: Any) -> None:
        nonlocal count
        value = holder[key]
        if isinstance(value, str):
            holder[key] = payload
            if fits():
                count += 1
            else:
                holder[key] = value
        elif isinstance(value, (dict, list)):
            for inner in [*value] if isinstance(value, dict) else range(len(value)):
                visit(value, inner)

    for name in whole:
        # The mirror finds a record by these; whatever else a text may be, it is.
        if name not in ("trace_id", "failure_id", "run_id"):
            visit(whole, name)
    return TraceRecord.model_validate_json(json.dumps(whole)), count


def rich_record(kind: FailureType | None, number: int) -> TraceRecord:
    """Every field that may be absent is there."""
    error = ErrorInfo(type="E", message="m", stacktrace='File "a.py", line 3, in f\n', notes=("n",))
    whole = error.model_copy(update={"causes": (error,), "exceptions": (error,)})
    record = make_record(
        kind,
        number=number,
        subject=PAYLOAD,
        run_id=PAYLOAD[: 200 - number] if kind else PAYLOAD[:150],
        message="m",
        ended_at=datetime.now(UTC),
        steps=(
            make_step("outer", 0, input={PAYLOAD: ["b"]}, output="c", attributes={PAYLOAD: "e"}, error=error),
            make_step("inner", 1, parent_id=f"{1:016x}", input="a", output={"b": "c"}),
        ),
        input={PAYLOAD: ["where?"]},
        output={PAYLOAD: "here"},
        attributes={PAYLOAD: {PAYLOAD: "c"}},
        logs=Logs(
            lines=(LogLine(time=datetime.now(UTC), level="INFO", logger="shop", message="m"),),
            stdout=OutputTail(text="out", total_bytes=3),
            stderr=OutputTail(text="err", total_bytes=3),
        ),
    )
    evidence = (
        ContractViolation(location="a", rule="b", message="c", value="d"),
        UnsupportedClaim(text="abc", start=0, end=3, score=0.9, nearest_evidence="d", evidence_source="e"),
        DeadlineExceeded(limit_s=1.0, elapsed_s=1.1, stacks="f"),
    )
    changes = {"error": whole, "evidence": evidence, "termination": Termination(signal="SIGKILL")}
    return record.model_copy(
        update={
            "failure": record.failure.model_copy(update=changes) if record.failure else None,
            "subject": record.subject.model_copy(update={"version": "1"}),
            "environment": record.environment.model_copy(update={"git_commit": "c"}),
        }
    )


@pytest.fixture
def home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A failure of each type and a passing twin, runs, and an audit, of payloads."""
    monkeypatch.setenv("FAILTRACE_SUBJECTS", f"no_such_module{PAYLOAD.replace(',', ' ')}")
    with Mirror.open(home / "mirror.sqlite") as mirror:
        for number, kind in enumerate((*FailureType, None), 1):
            record, count = put_everywhere(rich_record(kind, number), PAYLOAD)
            assert count > 20
            state = "running" if number == 1 else "finished"
            mirror.start_run(
                record.run_id or "", subjects=[PAYLOAD], planned=2, pid=os.getpid(), at=record.started_at, by=MARKUP
            )
            if state == "finished":
                mirror.finish_run(record.run_id or "", state=state, not_run=0, bad_lines=0, at=record.ended_at)
            mirror.write([item(record)])
        mirror.note("exported", PAYLOAD, MARKUP)
    return home


def settled(page: Page) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.locator('[data-testid="stMainBlockContainer"] >> :is(h1, h4, input, .header)').first.wait_for()
    assert page.locator('[data-testid="stException"]').count() == 0


def walk(page: Page) -> None:
    """Everything on a page that opens, opened: tabs, boxes, steps."""
    for box in page.get_by_test_id("stExpander").locator("summary").all():
        box.click()
    for step in page.get_by_role("treeitem").all():
        step.click()
        settled(page)
    for tab in page.get_by_role("tab").all():
        tab.click()
        settled(page)


def test_payloads_in_every_text_reach_no_other_host_and_execute_nothing(open_: Open, watch: Watch) -> None:
    """Every page, by its own address and with the payload in it, with all that opens on it opened."""
    ids = [failure_id_of(number) for number in range(1, len(FailureType) + 1)]
    runs = [PAYLOAD[: 200 - number] for number in (1, 2)]
    addresses = [
        "",
        "overview?range=all",
        "failures?range=all",
        f"failures?range=all&subject={quote(PAYLOAD)}&q={quote(PAYLOAD)}",
        *[f"failure?failure_id={failure_id}" for failure_id in ids],
        f"failure?failure_id={len(FailureType) + 1:032x}",
        f"failure?failure_id={quote(PAYLOAD)}",
        f"compare?left={ids[0]}&right={ids[1]}",
        f"compare?left={ids[2]}&right={len(FailureType) + 1:032x}",
        "run",
        *[f"run?run_id={quote(run)}" for run in runs],
        f"run?run_id={quote(runs[1])}&against={quote(runs[0])}",
        "health",
    ]
    for address in addresses:
        page = open_(f"/{address}")
        settled(page)
        walk(page)
        # A payload that a page does not show would prove nothing.
        page.locator(f":text('{BEACON}'), input[value*='{BEACON}']").first.wait_for(state="attached")
        assert page.evaluate("typeof executed") == "undefined", address
        assert page.locator("[src*='//203.'], [href^='http://203.'], [href^='javascript:' i]").count() == 0, address
        page.close()

    assert (watch.foreign, watch.errors) == ([], [])
    print(f"\npayloads in every text field: {len(addresses)} addresses, 0 requests to another origin, nothing executed")
