"""Each page alone, as the first request of a fresh server: values, empty states, bad ids, hostile text."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node
from support.records import failure_id_of, item, make_record, make_step

from failtrace.contracts import (
    ContractViolation,
    DeadlineExceeded,
    ErrorInfo,
    FailureType,
    LogLine,
    Logs,
    OutputTail,
    SubjectInfo,
    Termination,
    TraceRecord,
    UnsupportedClaim,
)
from failtrace.errors import StoreError
from failtrace.mirror.mirror import Mirror
from failtrace.ui import bootstrap

OpenPage = Callable[..., AppTest]
BEACON = "attacker.invalid"
HOSTILE = f'![x](http://{BEACON}/p.png)<img src="http://{BEACON}/q.png"> :material/home: **b** `c`'
INERT = {"text", "code", "json", "dataframe", "bidi_component", "multiselect", "vega_lite_chart"}
"""Elements that render no markup; the components set textContent alone (tests/browser holds them to it)."""


def elements(node: Block) -> Iterator[Node]:
    for child in node.children.values():
        yield child
        if isinstance(child, Block):
            yield from elements(child)


def component(page: AppTest, name: str) -> dict[str, Any]:
    """The data of the first component of that name."""
    found = next(node for node in page.get("bidi_component") if node.proto.component_name == f"failtrace.{name}")
    data: dict[str, Any] = json.loads(found.proto.json)
    return data


def hostile_record() -> TraceRecord:
    """Hostile words in every place that takes a subject's words."""
    error = ErrorInfo(type=HOSTILE, message=HOSTILE, stacktrace=HOSTILE, notes=(HOSTILE,))
    whole = error.model_copy(update={"causes": (error,), "exceptions": (error,)})
    step = make_step(HOSTILE, input=HOSTILE, output={HOSTILE: HOSTILE}, attributes={HOSTILE: HOSTILE}, error=error)
    evidence = (
        ContractViolation(location=HOSTILE, rule=HOSTILE, message=HOSTILE, value=HOSTILE),
        UnsupportedClaim(text=HOSTILE, start=0, end=3, score=0.9, nearest_evidence=HOSTILE, evidence_source=HOSTILE),
        DeadlineExceeded(limit_s=1.0, elapsed_s=1.1, stacks=HOSTILE),
    )
    record = make_record(FailureType.EXCEPTION, subject=HOSTILE, message=HOSTILE, ended_at=datetime.now(UTC), number=7)
    assert record.failure
    changes = {"error": whole, "evidence": evidence, "termination": Termination(signal=HOSTILE)}
    return record.model_copy(
        update={
            "failure": record.failure.model_copy(update=changes),
            "subject": SubjectInfo(name=HOSTILE, version=HOSTILE, source=HOSTILE),
            "run_id": HOSTILE,
            "steps": (step,),
            "input": HOSTILE,
            "attributes": {HOSTILE: HOSTILE},
            "logs": Logs(
                lines=(LogLine(time=record.ended_at, level=HOSTILE, logger=HOSTILE, message=HOSTILE),),
                stdout=OutputTail(text=HOSTILE, total_bytes=len(HOSTILE)),
            ),
        }
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("overview", "Nothing has run yet"),
        ("run", "Past runs"),
        ("compare", "Compare two executions"),
        ("failures", "No failures yet"),
        ("failure", "Open a failure by its id"),
    ],
)
def test_an_empty_home_says_what_to_do(open_page: OpenPage, name: str, words: str) -> None:
    """On a first start every page must stand, with a sentence where there is nothing to show."""
    page = open_page(name)

    assert not page.exception
    assert any(words in node.value for node in [*page.markdown, *page.subheader])


def test_failures_are_filtered_by_the_address_and_paged_by_key(open_page: OpenPage, mirror: Mirror) -> None:
    """A shared link must show what its sender saw; Older must go on where the page ended, and Newer come back."""
    now = datetime.now(UTC)
    mirror.write(
        [item(make_record(FailureType.TIMEOUT, number=at, ended_at=now - timedelta(seconds=at))) for at in range(1, 61)]
        + [item(make_record(FailureType.EXCEPTION, number=99, message="the kettle is cold", ended_at=now))]
    )

    timeouts = open_page("failures", type=["timeout", "nonsense"])
    assert [row["id"] for row in component(timeouts, "list")["rows"]] == [failure_id_of(at) for at in range(1, 51)]
    assert "1–50 of 60" in [caption.value for caption in timeouts.caption]

    older = timeouts.button(key="failures-Older").click().run()
    assert [row["id"] for row in component(older, "list")["rows"]] == [failure_id_of(at) for at in range(51, 61)]
    assert "51–60 of 60" in [caption.value for caption in older.caption]
    assert older.button(key="failures-Newer").click().run().button(key="failures-Newer").disabled

    words = open_page("failures", q="kettle")
    assert [row["id"] for row in component(words, "list")["rows"]] == [failure_id_of(99)]
    nothing = open_page("failures", q='"NEAR( OR *', run_id="run-2")
    assert any("No failure matches" in node.value for node in nothing.markdown)
    assert any("0 of 61 failures" in caption.value for caption in nothing.caption)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (failure_id_of(404), "No failure has this id"),
        ("../../mirror.sqlite", "This is not a failure_id"),
        ("'; DROP TABLE execution; --", "This is not a failure_id"),
        (HOSTILE, "This is not a failure_id"),
    ],
)
def test_an_id_that_opens_nothing_gets_a_sentence(open_page: OpenPage, typed: str, words: str) -> None:
    """An unknown or malformed id must be answered in words, never by an error."""
    page = open_page("failure", failure_id=typed)

    assert not page.exception
    assert any(words in node.value for node in [*page.markdown, *page.error])


@pytest.mark.parametrize("view", ["Input and output", "Logs", "Verdicts", "Environment", "Whole record"])
def test_what_a_subject_wrote_reaches_no_element_that_renders_markup(
    open_page: OpenPage, mirror: Mirror, view: str
) -> None:
    """Hostile words in every field must stand in elements that show them as they are, on every page and tab."""
    mirror.write([item(hostile_record())])
    page = open_page("failure", failure_id=failure_id_of(7))
    page.session_state["view"] = view
    pages = [page.run(), open_page("failures", subject=HOSTILE), open_page("overview")]

    for shown in pages:
        assert not shown.exception
        speaking = {node.type for node in elements(shown.main) if BEACON in str(getattr(node, "proto", ""))}
        assert speaking
        assert speaking <= INERT


def test_a_large_text_is_cut_and_offered_whole(open_page: OpenPage, mirror: Mirror) -> None:
    """Of a text above 64 KB the page must carry the first 64 KB, and the rest as a download."""
    mirror.write([item(make_record(FailureType.EXCEPTION, number=6, input="é" * 100_000))])

    page = open_page("failure", failure_id=failure_id_of(6))

    assert max(len(code.value.encode()) for code in page.code) == 64 * 1024
    assert any("64 KB of 195.3 KB" in caption.value for caption in page.caption)


@pytest.mark.parametrize("body", [b'{"schema_version": 2}', b"no JSON at all"])
def test_a_record_that_cannot_be_read_is_shown_as_it_is(open_page: OpenPage, mirror: Mirror, body: bytes) -> None:
    """A newer or damaged record must be a sentence, with its bytes to read and to take along."""
    mirror.write([(make_record(FailureType.EXCEPTION, number=8), body)])

    page = open_page("failure", failure_id=failure_id_of(8))

    assert not page.exception
    assert [error.value for error in page.error] == ["This record cannot be read."]
    assert [node.value for node in [*page.json, *page.code]] == [body.decode()]
    assert len(page.get("download_button")) == 1


def test_a_run_that_is_not_there_is_a_sentence(open_page: OpenPage, mirror: Mirror) -> None:
    """A run_id that names nothing must be answered in words, and not be waited for."""
    page = open_page("run", run_id="no-such-run")

    assert not page.exception
    assert any("No run has this id" in node.value for node in page.markdown)


def test_secrets_that_cannot_be_read_keep_the_door_shut(
    open_page: OpenPage, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secrets.toml with a slip in it may hold [auth]: no page may open past it."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth")
    monkeypatch.chdir(tmp_path)

    page = open_page("overview")

    assert [error.value for error in page.error] == ["The login cannot be set up."]
    assert not page.title


def test_a_mirror_that_is_no_database_is_told_on_every_page(clean_environment: Path) -> None:
    """The damaged file is kept as it is, and every page works and says where to read on."""
    clean_environment.mkdir(parents=True)
    (clean_environment / "mirror.sqlite").write_bytes(b"this is no database" * 1000)

    for name in ("overview", "run", "failures", "failure", "compare", "health"):
        page = AppTest.from_file(f"{Path(__file__).parents[2]}/pages/{name}.py", default_timeout=30).run()

        assert not page.exception
        assert "A damaged mirror was set aside. Health says what became of it." in [said.value for said in page.warning]
    (aside,) = clean_environment.glob("mirror.sqlite.corrupt-*[0-9]")
    assert aside.read_bytes() == b"this is no database" * 1000


def test_the_pages_go_on_with_the_mirror_that_another_process_rescued(open_page: OpenPage, mirror: Mirror) -> None:
    """They read the new file, say that there was a rescue, let go of the old one, and lose nothing of the new one."""
    mirror.write([item(make_record(FailureType.EXCEPTION, number=1))])
    assert len(component(open_page("failures"), "list")["rows"]) == 1
    before = bootstrap.services()
    # So that the file itself is read, and not what its log still has of it.
    with closing(sqlite3.connect(mirror.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with mirror.path.open("r+b") as file:
        file.write(b"\xff" * 100)
    rescuer = subprocess.run([sys.executable, "-m", "failtrace", "list"], capture_output=True, text=True, check=False)
    assert "The mirror was damaged" in rescuer.stderr

    with Mirror.open(mirror.path) as rescued:
        rescued.write([item(make_record(FailureType.EXCEPTION, number=2))])
        page = open_page("failures")
        with Mirror.open(mirror.path) as other:
            assert other.health().failures == 2

    assert not page.exception
    assert {row["id"] for row in component(page, "list")["rows"]} == {failure_id_of(1), failure_id_of(2)}
    assert "A damaged mirror was set aside. Health says what became of it." in [said.value for said in page.warning]
    assert bootstrap.services() is bootstrap.services() is not before
    with pytest.raises(StoreError, match="was closed"):
        before.store.mirror.data_version()
