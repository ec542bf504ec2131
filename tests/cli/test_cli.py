"""The command line as a program: what it prints, what it exits with, and that it never shows a traceback."""

import json
import os
import pty
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.records import item as stored_item
from support.records import make_record

from failtrace import run_with_failure_detection
from failtrace.contracts import DeadlineExceeded, FailureType, TraceRecord
from failtrace.mirror.mirror import Mirror
from failtrace.subjects.hostile import HOSTILE
from failtrace.subjects.scenarios import EXPECTED

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zoo can be named from the command line, wherever it is run."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "tests"))


def failtrace(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "failtrace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=REPOSITORY, **options)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_all_scenarios_by_json() -> None:
    """`failtrace run --json` runs every scenario: types as documented, all stored, each opens by its id."""
    done = failtrace("run", "--json")
    *executions, summary = lines(done)
    expected = sorted((name, item.failure_type or "") for name, items in EXPECTED.items() for item in items)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted((line["subject"], line["failure_type"] or "") for line in executions) == expected
    assert [line for line in executions if not line["stored"]] == []
    assert {"type", "trace_id", "failure_id", "subject", "outcome", "failure_type", "duration_ms", "stored"} == set(
        executions[0]
    )
    assert (summary["type"], summary["executions"], summary["pending"]) == ("summary", len(executions), 0)
    assert summary["passed"] + summary["failed"] == summary["stored"] == len(executions)
    listed = lines(failtrace("list", "--json"))
    assert {line["failure_id"] for line in listed} == {line["failure_id"] for line in executions} - {None}
    assert [line["occurred_at"] for line in listed] == sorted((line["occurred_at"] for line in listed), reverse=True)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit that is kept on Linux only")
def test_show_says_that_failtrace_sent_the_signal(clean_environment: Path) -> None:
    """A subject that met a limit was ended by failtrace: the signal alone would put the blame elsewhere."""
    _, record = run_with_failure_detection(
        next(hostile.subject for hostile in HOSTILE if hostile.name == "endless_output")
    )
    clean_environment.mkdir(parents=True, exist_ok=True)
    with Mirror.open(clean_environment / "mirror.sqlite") as mirror:
        mirror.write([stored_item(record)])

    assert "process: ended by failtrace with SIGXCPU, at most" in failtrace("show", record.trace_id).stdout


def test_show_gives_the_record_and_nothing_else() -> None:
    """`show --json` prints a TraceRecord; `show` prints its story; a pasted id may have quotes and spaces."""
    (execution, _) = lines(failtrace("run", "support.zoo:complain", "--input", '"no \\u001b[31mway"', "--json"))
    shown = failtrace("show", execution["failure_id"], "--json")
    story = failtrace("show", f" '{execution['failure_id']}' ")

    record = TraceRecord.model_validate_json(shown.stdout)
    assert (record.failure_id, record.subject.name) == (execution["failure_id"], "support.zoo:complain")
    assert "ValueError: no \\x1b[31mway" in story.stdout
    assert "\x1b" not in story.stdout
    assert failtrace("show", execution["trace_id"], "--json").stdout == shown.stdout


def test_a_deadline_without_stacks_leaves_no_gap(clean_environment: Path) -> None:
    """Inside its caller's process nobody saw where it stood: neither account may begin to say so."""
    late = DeadlineExceeded(limit_s=0.2, elapsed_s=0.5, stacks="")
    record = make_record(FailureType.TIMEOUT, number=1)
    assert record.failure
    record = record.model_copy(update={"failure": record.failure.model_copy(update={"evidence": (late,)})})
    clean_environment.mkdir(parents=True, exist_ok=True)
    with Mirror.open(clean_environment / "mirror.sqlite") as mirror:
        mirror.write([stored_item(record)])

    assert failtrace("show", record.trace_id).stdout.endswith("Evidence\n  limit 0.2 s, elapsed 0.500 s\n")
    assert "\nlimit 0.2 s, elapsed 0.5 s\n```" in failtrace("show", record.trace_id, "--markdown").stdout


def test_show_abridges_what_is_long(tmp_path: Path) -> None:
    """Of a long stream the beginning and more of the end, with what is left out; `--json` has all that is kept."""
    (tmp_path / "loud.py").write_text(
        "def shout(count):\n    print('begin', 'x' * count, 'end')\n    raise ValueError('y' * count)\n"
    )
    command = [sys.executable, "-m", "failtrace"]
    run = [*command, "run", "loud:shout", "--input", "30000", "--json"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=True)
    any_id = lines(done)[0]["failure_id"]
    story, record = failtrace("show", any_id).stdout, failtrace("show", any_id, "--json").stdout

    assert "stdout (29.3 KB in all)\n  begin xxx" in story
    assert "characters left out; --json shows all …" in story
    assert "xxx end" in story
    assert max(map(len, story.splitlines())) < 4_100
    assert "x" * 30_000 in record


def test_list_with_nothing_says_where_it_looked(clean_environment: Path) -> None:
    """Who started elsewhere than the records are learns so from the path."""
    nothing, nothing_such = failtrace("list"), failtrace("list", "--subject", "none")

    assert nothing.stdout == (
        f"No failure is recorded in {str(clean_environment)!r} (FAILTRACE_HOME). "
        "`failtrace run` runs every registered subject.\n"
    )
    assert nothing_such.stdout.startswith(f"No such failure is recorded in {str(clean_environment)!r}")


def test_check_exits_1_when_anything_failed() -> None:
    """`--check` is for pipelines: 1 for a failure, 0 for none."""
    assert failtrace("run", "support.zoo:double", "--input", "1", "--check").returncode == 0
    assert failtrace("run", "support.zoo:complain", "--input", '"x"', "--check").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(("run", "nobody"), 2, "No subject is registered as 'nobody'", id="unknown-subject"),
        pytest.param(("run", "no.such.module:f"), 2, "no module named 'no'", id="no-module"),
        pytest.param(("run", "support.zoo:TAG"), 2, "not a callable", id="not-callable"),
        pytest.param(("run", "support.zoo:double", "--input", "{"), 2, "is not JSON", id="bad-input"),
        pytest.param(("run", "support.zoo:double", "--timeout", "-1"), 2, "The timeout of", id="negative-timeout"),
        pytest.param(
            ("run", "support.zoo:double", "--timeout", "soon"), 2, "not a valid float", id="timeout-no-number"
        ),
        pytest.param(("run", "support.zoo:double", "--workers", "0"), 2, "workers is 0", id="no-workers"),
        pytest.param(("run", "support.zoo:double", "--inputs", "/no/such/file"), 2, "No such file", id="no-inputs"),
        pytest.param(("run", "support.zoo:double", "--inputs", "."), 2, "Is a directory", id="inputs-is-a-folder"),
        pytest.param(("run", "--store", "disk"), 2, "'disk' is not one of", id="unknown-store"),
        pytest.param(("run", "--store", "cosmos"), 2, "COSMOS_ENDPOINT is not set", id="no-cosmos"),
        pytest.param(("show", "0000"), 1, "No record has the id '0000'", id="unknown-id"),
        pytest.param(("show", "../../etc/passwd"), 1, "No record has the id", id="path-as-id"),
        pytest.param(("show", "' OR 1=1 --"), 1, "No record has the id", id="sql-as-id"),
        pytest.param(("list", "--limit", "0"), 2, "0 is not in the range", id="limit"),
        pytest.param(("list", "--type", "bad"), 2, "'bad' is not one of", id="type"),
        pytest.param(("list", "--subject", "\udcff"), 2, "is not UTF-8", id="subject-is-no-text"),
        pytest.param(("run", "--run-id", "\udcff", "--json"), 2, "is not UTF-8", id="run-id-is-no-text"),
        pytest.param(("fly",), 2, "No such command 'fly'", id="unknown-command"),
        pytest.param(("run", "--fly"), 2, "No such option", id="unknown-option"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    """A bad argument is one line on stderr and nothing on stdout, never a traceback."""
    done = failtrace(*arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("failtrace: ")


def test_a_mirror_that_is_no_database_is_one_sentence(clean_environment: Path) -> None:
    """The file is kept under another name, the sentence says which, and the command goes on."""
    clean_environment.mkdir()
    mirror = clean_environment / "mirror.sqlite"
    mirror.write_text("a diary\n" * 1000)

    done = failtrace("list")

    (aside,) = clean_environment.glob("mirror.sqlite.corrupt-*[0-9]")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert str(aside) in done.stderr
    assert aside.read_text() == "a diary\n" * 1000


def test_a_home_that_cannot_be_made_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home below a file cannot be written by anybody, root included."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FAILTRACE_HOME", str(tmp_path / "file" / "home"))

    done = failtrace("run", "support.zoo:double", "--input", "1")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "FAILTRACE_HOME" in done.stderr


def test_bad_lines_are_reported_by_number(tmp_path: Path) -> None:
    """The good lines run; the bad one is named on stderr and the run is no error."""
    file = tmp_path / "inputs.jsonl"
    file.write_text('1\n{"x\n2\n')

    done = failtrace("run", "support.zoo:double", "--inputs", str(file), "--json")

    assert done.returncode == 0
    assert "Line 2 of" in done.stderr
    assert lines(done)[-1]["executions"] == 2


def test_inputs_without_a_good_line_are_an_error() -> None:
    """A broken inputs file does not pass for a run in which nothing failed."""
    done = failtrace("run", "support.zoo:double", "--inputs", "-", "--check", input="{\n")

    assert done.returncode == 2
    assert "Line 1 of '-'" in done.stderr


def test_inputs_can_come_from_standard_input() -> None:
    """`--inputs -` reads the stream once, bad lines counted as in a file."""
    done = failtrace("run", "support.zoo:double", "--inputs", "-", "--json", input="1\n{\n2\n")

    assert "Line 2 of '-'" in done.stderr
    assert (lines(done)[-1]["executions"], lines(done)[-1]["not_run"]) == (2, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_stops_a_run_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    """What had ended is stored, the rest is counted as not run, the subject's process is gone."""
    pid_file = tmp_path / "pid"
    os.mkfifo(pid_file)
    command = [sys.executable, "-m", "failtrace", "run", "support.zoo:sleep_until_killed", "--json"]
    process = subprocess.Popen(
        [*command, "--input", json.dumps(str(pid_file))], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    pid = int(pid_file.read_text())

    process.send_signal(number)
    out, _ = process.communicate(timeout=30)

    summary = json.loads(out.splitlines()[-1])
    assert (process.returncode, summary["state"], summary["not_run"]) == (130, "cancelled", 1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_doctor_tells_what_is_well_and_what_is_not(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check has a finding; a module that cannot be imported is a failed one."""
    well = failtrace("doctor", "--json")
    monkeypatch.setenv("FAILTRACE_SUBJECTS", "no_such_module")
    ill = failtrace("doctor", "--json")

    states = {line["check"]: line["state"] for line in lines(well)}
    assert well.returncode == 0
    assert set(states) == {
        *(
            "failtrace",
            "python",
            "libraries",
            "sqlite",
            "home",
            "journal",
            "redaction",
            "mirror",
            "store",
            "delivery",
            "subjects",
            "watch",
            "process",
        )
    }
    assert {state for check, state in states.items() if check != "sqlite"} == {"ok"}
    assert next(line["detail"] for line in lines(well) if line["check"] == "sqlite").startswith(sqlite3.sqlite_version)
    assert ill.returncode == 1
    assert {line["check"]: line["state"] for line in lines(ill)}["subjects"] == "failed"


def test_doctor_tells_of_a_home_that_is_a_file_and_of_unreadable_segments(clean_environment: Path) -> None:
    """A home that cannot be one is a failed finding with its reason; segments set aside are a warning."""
    clean_environment.write_text("a diary")
    no_home = failtrace("doctor", "--json")
    clean_environment.unlink()
    (clean_environment / "journal").mkdir(parents=True)
    (clean_environment / "journal" / "0.unreadable").write_text("?")
    aside = failtrace("doctor", "--json")

    assert (no_home.returncode, no_home.stderr) == (1, "")
    home = next(line for line in lines(no_home) if line["check"] == "home")
    assert (home["state"], "File exists" in home["detail"]) == ("failed", True)
    journal = next(line for line in lines(aside) if line["check"] == "journal")
    assert (aside.returncode, journal["state"]) == (0, "warning")
    assert "1 segment could not be read" in journal["detail"]
    assert str(clean_environment / "journal") in journal["detail"]


def test_subjects_lists_the_scenarios() -> None:
    """`failtrace subjects --json` gives each registered subject with its contract."""
    listed = {line["name"]: line for line in lines(failtrace("subjects", "--json"))}

    assert set(EXPECTED) <= set(listed)
    assert (listed["memory_limit_hit"]["contract"], listed["hang_in_sleep"]["timeout_s"]) == ("int", 0.5)


def test_people_get_sentences_and_no_progress_bar_in_a_pipe() -> None:
    """Piped output is plain text: the failures with their ids, and what the run came to."""
    done = failtrace("run", "invented_number", "agent_that_answers")

    assert (done.returncode, done.stderr) == (0, "")
    assert "1 passed, 1 failed (1 hallucination_flag)" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("options", [("--json",), ()], ids=["json", "people"])
def test_a_reader_that_leaves_does_not_end_the_recording(options: tuple[str, ...], clean_environment: Path) -> None:
    """`failtrace run | head -1`: what comes after the reader has left is recorded like the rest, in silence."""
    command = [sys.executable, "-m", "failtrace", "run", "support.zoo:complain", "--inputs", "-", "--workers", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *options], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=REPOSITORY, bufsize=1
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write('"first"\n')
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.write('"second"\n"third"\n')
        process.stdin.close()
        assert (process.stderr.read(), process.wait(timeout=60)) == ("", 0)

    with Mirror.open(clean_environment / "mirror.sqlite") as mirror:
        (run,) = mirror.runs().rows
    assert (run.state, run.executions, run.failed) == ("finished", 3, 3)


def test_no_encoding_of_the_output_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow stdout gets escapes: text still reads, and JSON is still JSON with the same value."""
    smile = "\N{GRINNING FACE} \N{LATIN SMALL LETTER E WITH ACUTE}"
    for encoding in ("ascii", "latin-1"):
        monkeypatch.setenv("PYTHONIOENCODING", encoding)
        told = failtrace("run", "support.zoo:complain", "--input", json.dumps(smile), encoding="latin-1")
        (listed, *_) = lines(failtrace("list", "--json"))

        assert (told.returncode, told.stderr) == (0, "")
        assert "\\U0001f600" in told.stdout
        assert smile in listed["message"]


def test_a_full_disk_below_the_output_is_one_sentence() -> None:
    """What cannot be written is told on stderr, once."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "failtrace", "subjects", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=100, cwd=REPOSITORY)

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "No space left" in done.stderr


def test_a_terminal_of_80_columns_shows_whole_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that is cut cannot be opened; a message may be cut, at the screen's edge."""
    (execution, _) = lines(failtrace("run", "support.zoo:complain", "--input", json.dumps("long " * 30), "--json"))
    monkeypatch.setenv("COLUMNS", "80")
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "failtrace", "list"], stdout=slave, cwd=REPOSITORY)
    os.close(slave)
    screen = read_to_the_end(master)

    assert process.wait(timeout=60) == 0
    head, ids, message, _ = screen.splitlines()
    assert (head, ids.split()[0]) == ("✕ exception  support.zoo:complain", execution["failure_id"])
    assert (len(message), message[-1]) == (80, "…")


def read_to_the_end(master: int) -> str:
    """All that a terminal is sent; its end is an OSError once nobody holds the other side."""
    data = b""
    try:
        while chunk := os.read(master, 65536):
            data += chunk
    except OSError:
        pass
    finally:
        os.close(master)
    return data.decode()


def test_inputs_can_come_from_a_fifo(tmp_path: Path) -> None:
    """`--inputs <(…)` is read once, whole."""
    fifo = tmp_path / "inputs"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "failtrace", "run", "support.zoo:double", "--inputs", str(fifo), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        fifo.write_text("1\n{\n2\n")
        try:
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()

    summary = json.loads(out.splitlines()[-1])
    assert (process.returncode, summary["executions"], summary["not_run"], summary["errored"]) == (0, 2, 0, 0)


def test_the_dashboard_listens_on_this_machine_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no config.toml of the folder one stands in makes it listen elsewhere."""
    pytest.importorskip("streamlit")
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n')
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "failtrace", "dashboard", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout
        address = next((line for line in process.stdout if "URL:" in line), "")
        process.kill()

    assert f"http://127.0.0.1:{port}" in address


def test_redact_shows_what_a_record_would_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text on stdout, what was found on stderr; markers that were there before are not counted."""
    rules = tmp_path / "redaction.toml"
    rules.write_text("[patterns]\nemployee = 'EMP-[0-9]{6}'\n")
    monkeypatch.setenv("FAILTRACE_REDACTION", str(rules))
    log = tmp_path / "log.txt"
    log.write_text("by EMP-123456 and EMP-123457, password=hunter" + "22 [redacted:github]\n")

    shown = failtrace("redact", str(log))

    clean = "by [redacted:employee] and [redacted:employee], password=[redacted:key:password] [redacted:github]\n"
    assert (shown.returncode, shown.stdout) == (0, clean)
    assert shown.stderr == "3 secrets redacted: employee 2, key:password 1.\n"
