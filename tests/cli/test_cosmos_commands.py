"""Cosmos DB from the command line: run, show, sync, its status, provisioning and dead letters."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.cosmos_fixtures import Cosmos
from support.cosmos_proxy import HANG, Answer, Request, refusal

REPOSITORY = Path(__file__).parents[2]
FAIL = ("run", "support.zoo:complain", "--json", "--input")


class Shell:
    """`failtrace …` with the environment of a container, in a home of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "failtrace", *arguments],
            capture_output=True,
            text=True,
            timeout=100,
            cwd=REPOSITORY,
            env=self.environment,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*arguments, code=code).stdout.splitlines()]


@pytest.fixture
def shell(cosmos: Cosmos, tmp_path: Path) -> Shell:
    return machine(cosmos, tmp_path / "one")


def machine(cosmos: Cosmos, home: Path) -> Shell:
    path = {"PYTHONPATH": str(REPOSITORY / "tests"), "FAILTRACE_HOME": str(home)}
    return Shell({**os.environ, **path, **cosmos.environment})


def refuse_items(status: int, *, message: str = "for a test") -> Any:
    def fault(request: Request) -> Answer | None:
        return refusal(status, message) if request.is_create else None

    return fault


def test_a_run_waits_for_its_failures_and_show_says_who_answered(shell: Shell, cosmos: Cosmos) -> None:
    """Nothing is pending at the end; the item is there; `show` names Cosmos DB and since when."""
    execution, summary = shell.json(*FAIL, '"x"')

    assert summary["pending"] == 0
    assert execution["stored"] is True
    assert [item["id"] for item in cosmos.items()] == [execution["failure_id"]]
    # The mirror, which has it too, answers where a busy machine's Cosmos DB takes its time.
    assert any("answered by cosmos, stored" in shell("show", execution["failure_id"]).stdout for _ in range(5))


def test_an_outage_is_told_and_made_good_by_sync(shell: Shell, cosmos: Cosmos) -> None:
    """The run ends in its time with what is pending and why; `sync` delivers once Cosmos DB is well."""
    with cosmos.proxy.failing(refuse_items(503)):
        _, summary = shell.json(*FAIL, '"x"', "--wait", "0.5")
        told = shell("run", "support.zoo:complain", "--input", '"y"', "--wait", "0.5").stdout
        (waiting,) = shell.json("sync", "--wait", "0.5", "--json", code=1)

    assert summary["pending"] == 1
    assert "2 not yet delivered" in told
    assert "safe in the mirror" in told
    assert waiting["pending"] == 2
    (done,) = shell.json("sync", "--json")
    assert (done["delivered"], done["pending"]) == (2, 0)
    assert len(cosmos.items()) == 2


def test_refused_credentials_are_one_sentence_with_the_variable(shell: Shell, cosmos: Cosmos) -> None:
    """The run does not wait in vain, nothing is lost, the status says what to mend, and repair needs no command."""
    wrong = Shell({**shell.environment, "COSMOS_KEY": "d3Jvbmc="})

    _, summary = wrong.json(*FAIL, '"x"')
    (status,) = wrong.json("sync", "--status", "--json")
    findings = {line["check"]: line for line in wrong.json("doctor", "--json", code=1)}

    assert summary["pending"] == 1
    assert "COSMOS_KEY" in status["paused"]
    assert (findings["delivery"]["state"], "COSMOS_KEY" in findings["delivery"]["detail"]) == ("failed", True)
    assert "COSMOS_KEY" in wrong("sync", "--wait", "1", code=2).stderr
    _, after = shell.json(*FAIL, '"y"')
    assert after["pending"] == 0
    (status,) = shell.json("sync", "--status", "--json")
    assert (status["paused"], status["pending"]) == (None, 0)


def test_two_machines_agree_after_sync(shell: Shell, cosmos: Cosmos, tmp_path: Path) -> None:
    """What one wrote the other lists and opens, by the same bytes."""
    execution, _ = shell.json(*FAIL, '"x"')
    other = machine(cosmos, tmp_path / "other")

    (done,) = other.json("sync", "--json")

    assert (done["received"], done["unreadable"], done["dead_letters"]) == (1, 0, 0)
    assert other("list", "--json").stdout == shell("list", "--json").stdout
    shown = [each("show", execution["failure_id"], "--json").stdout for each in (shell, other)]
    assert shown[0] == shown[1]


def test_the_status_tells_all_and_asks_nobody(shell: Shell, cosmos: Cosmos) -> None:
    """Backlog, lag, request units, dead letters, lease, last error: from the mirror, also where Cosmos DB hangs."""
    shell.json(*FAIL, '"x"')
    cosmos.proxy.log.clear()
    with cosmos.proxy.failing(lambda _: HANG):
        (status,) = shell.json("sync", "--status", "--json")
        told = shell("sync", "--status").stdout

    assert (status["pending"], status["dead"], status["delivered_last_hour"]) == (0, 0, 1)
    assert status["request_units_last_hour"] > 0
    assert status["lag_ms"] > 0
    for word in ("Backlog", "Lag", "1 attempt", "request units", "Dead letters", "Lease", "Last error", "Last sync"):
        assert word in told
    assert cosmos.proxy.log == []


def test_a_dead_letter_is_seen_exported_and_sent_again(shell: Shell, cosmos: Cosmos, tmp_path: Path) -> None:
    """A record that Cosmos DB refuses is set aside, visibly and whole, and goes out once it may."""
    with cosmos.proxy.failing(refuse_items(413)):
        execution, summary = shell.json(*FAIL, '"x"')
    target = tmp_path / "dead.jsonl"

    (letter,) = shell.json("cosmos", "dead-letters", "--json", "--export", str(target))
    exported = json.loads(target.read_text())

    assert summary["pending"] == 0
    assert (letter["failure_id"], letter["status"], letter["attempts"]) == (execution["failure_id"], 413, 1)
    assert exported["record"]["failure_id"] == execution["failure_id"]
    assert shell.json("audit", "--limit", "1", "--json")[0]["detail"] == f"1 dead letter to {target}"
    assert "answered by mirror" in shell("show", execution["failure_id"]).stdout
    assert "no dead letter" in shell("cosmos", "dead-letters", "nope", code=2).stderr
    assert "1 dead letter, sent once more" in shell("cosmos", "dead-letters", "--resend").stdout
    assert shell.json("cosmos", "dead-letters", "--json") == []
    assert "There are no dead letters." in shell("cosmos", "dead-letters", "--resend").stdout
    assert len(cosmos.items()) == 1


def test_dead_letters_are_sent_again_to_a_cosmos_db_alone(shell: Shell) -> None:
    """Without one set nothing could have been sent, and the command says so; to show them it needs none."""
    without = Shell({name: value for name, value in shell.environment.items() if not name.startswith("COSMOS_")})

    assert "set COSMOS_ENDPOINT" in without("cosmos", "dead-letters", "--resend", code=2).stderr
    assert "There are no dead letters." in without("cosmos", "dead-letters").stdout


def test_what_nobody_delivers_waits_for_a_process(shell: Shell, cosmos: Cosmos) -> None:
    """The status says so where no process holds the lease, and what to do."""
    with cosmos.proxy.failing(refuse_items(503)):
        shell.json(*FAIL, '"x"', "--wait", "0.5")

    assert "waiting for a process" in shell("sync", "--status").stdout


def test_failures_of_the_memory_store_are_sent_when_asked(shell: Shell, cosmos: Cosmos) -> None:
    """What was recorded before Cosmos DB was set is named by `sync`, and sent by `sync --all`."""
    before = Shell({name: value for name, value in shell.environment.items() if not name.startswith("COSMOS_")})
    before.json(*FAIL, '"x"')

    assert "COSMOS_ENDPOINT" in before("sync", code=2).stderr
    (first,) = shell.json("sync", "--json")
    (second,) = shell.json("sync", "--all", "--json")

    assert (first["never_sent"], first["delivered"]) == (1, 0)
    assert (second["never_sent"], second["delivered"]) == (0, 1)


def test_provisioning_from_nothing(cosmos_account: Cosmos, tmp_path: Path) -> None:
    """One command makes database and container; before it, a run says that they are missing."""
    shell = machine(cosmos_account, tmp_path / "home")

    _, summary = shell.json(*FAIL, '"x"')
    (status,) = shell.json("sync", "--status", "--json")
    made = shell("cosmos", "provision").stdout
    (done,) = shell.json("sync", "--json")

    assert summary["pending"] == 1
    assert "failtrace cosmos provision" in status["paused"]
    assert f"The container {cosmos_account.container!r} was made" in made
    assert (done["delivered"], done["pending"]) == (1, 0)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"COSMOS_ENDPOINT": "https://shop/path"}, "COSMOS_ENDPOINT"),
        ({"COSMOS_ENDPOINT": "shop"}, "COSMOS_ENDPOINT"),
        ({"COSMOS_KEY": "not base64!"}, "COSMOS_KEY"),
        ({"COSMOS_DATABASE": "a/b"}, "COSMOS_DATABASE"),
        ({"FAILTRACE_RETENTION_DAYS": "soon"}, "FAILTRACE_RETENTION_DAYS"),
    ],
)
def test_a_bad_setting_is_one_sentence(shell: Shell, variables: dict[str, str], words: str) -> None:
    """Exit 2, the variable's name, nothing run."""
    done = Shell({**shell.environment, **variables})("run", "support.zoo:complain", code=2)

    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_spans_that_cannot_be_sent_stop_no_run(shell: Shell) -> None:
    """A wrong endpoint for spans is a sentence on stderr, and the run goes on."""
    done = Shell({**shell.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": "nowhere"})(*FAIL, '"x"')

    assert "spans are not sent: OTEL_EXPORTER_OTLP_ENDPOINT" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["executions"] == 1
