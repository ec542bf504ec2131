"""Which texts are the process's own secrets, in which forms they are known, and which of its texts are none."""

import base64
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from failtrace import run_with_failure_detection, step
from failtrace.capture import redaction
from failtrace.capture.redaction import MAX_LATER, adopt, follow, keep_up, redact_text, redactor
from failtrace.health import examine
from failtrace.secrets.own_rules import OwnRules
from failtrace.secrets.own_secrets import MAX_SECRETS, own_secrets
from failtrace.settings import Settings

KEY = 'sec"ret/ö' + "+key=1"


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("SHOP_API_KEY", "blue.horse", "blue.horse"),
        ("OPENAI_API_KEY", "correcthorsebattery", "correcthorsebattery"),
        ("DB_PASSWORD", "hunter" + "2", "hunter2"),
        ("GITHUB_TOKEN", "abc123def456", "abc123def456"),
        ("DATABASE_URL", "postgresql://app:s3cr3t!@db.local/shop", "s3cr3t!"),
        ("BROKER", "amqp://u:p%40ss%2Fw0rd@mq", "p@ss/w0rd"),
        ("STORAGE", "AccountName=a;AccountKey=Zm9vYmFyYmF6cXV4;", "Zm9vYmFyYmF6cXV4"),
        ("SERVER_SECRET", "first line of it\nsecond line of it", "second line of it"),
    ],
)
def test_variable_gives_its_secret(name: str, value: str, secret: str) -> None:
    """All of it under a secret's name; under any other what its URL or connection string hides."""
    assert secret in own_secrets((), {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTGRES_PASSWORD", "postgres"),
        ("PGPASSWORD", ""),
        ("API_KEY", "changeme"),
        ("API_KEY", "${REAL_KEY}"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/google/key-1.json"),
        ("PWD", "/home/ada/shop.git"),
        ("TOKEN", "required"),
        ("MAX_TOKENS", "100000"),
        ("HOME_PAGE", "https://example.com/a?b=c"),
        ("PATH", "/usr/bin:/bin"),
        ("DOCS", "password: must be at least 8 characters"),
    ],
)
def test_variable_that_tells_no_secret_gives_none(name: str, value: str) -> None:
    """Paths, placeholders and words of every day: to redact those everywhere would leave records unreadable."""
    assert own_secrets((), {name: value}) == ()


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY, ensure_ascii=False)[1:-1],
        repr(KEY)[1:-1],
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
    ],
)
def test_configured_key_goes_in_every_encoding(form: str) -> None:
    """The key of Cosmos DB, as URLs, JSON, reprs and base64 write it."""
    follow(Settings.load(cosmos_key=SecretStr(KEY)))

    assert redact_text(f"cannot connect with {form} now")[0].startswith("cannot connect with [redacted:own_secret]")


def test_secrets_of_the_login_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `secrets.toml` has under a secret's name; a file that is no TOML is another's business."""
    folder = tmp_path / ".streamlit"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    (folder / "secrets.toml").write_text(
        '[auth]\nclient_id = "shop-dashboard"\nclient_secret = "blue.horse"\n[auth.x]\ncookie_secret = "green.cow"\n'
    )

    assert {"blue.horse", "green.cow"} <= set(own_secrets((), {}))
    assert "shop-dashboard" not in own_secrets((), {})
    (folder / "secrets.toml").write_text("client_secret = ")
    assert own_secrets((), {}) == ()


def test_a_rotating_secret_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a variable that changes for ever the newest tokens are known, not the oldest; what was given stays."""
    adopt(OwnRules(secrets=("given-1-secret",)), {})
    for number in range(MAX_LATER):
        monkeypatch.setenv("SHOP_API_KEY", f"token.{number:06}.x")
        keep_up()

    assert redact_text("given-1-secret")[1] == 1
    assert redact_text(f"token.{MAX_LATER - 1:06}.x token.{MAX_LATER - 2:06}.x")[1] == 2
    assert redact_text("token.000000.x")[1] == 0
    assert len(redactor().rules.secrets) <= MAX_LATER + 1


def test_what_comes_at_once_is_known_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many variables, loaded after the start beside many that were there: none of them is left out."""
    before = {f"SVC{number}_API_KEY": f"svc.key.{number:08}.with/slash" for number in range(60)}
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    follow(Settings.load())
    late = {f"LATE{number}_API_KEY": f"late.key.{number:08}.and+plus" for number in range(150)}
    for name, value in late.items():
        monkeypatch.setenv(name, value)

    keep_up()

    assert [value for value in (*before.values(), *late.values()) if not redact_text(f"used {value} now")[1]] == []


def test_headers_of_opentelemetry_are_secrets() -> None:
    """Each value of the list, decoded, with and without its scheme."""
    found = own_secrets((), {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc.def.123,x-team=team.key.77"})

    assert {"Bearer abc.def.123", "abc.def.123", "team.key.77"} <= set(found)


def test_secrets_files_are_those_that_streamlit_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where STREAMLIT_SECRETS_FILES says."""
    file = tmp_path / "other.toml"
    file.write_text('[auth]\nclient_secret = "over.the.hills.7"\n')
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(file))

    assert "over.the.hills.7" in own_secrets((), {})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_waits_for_no_thread_of_its_parent() -> None:
    """Another thread is adopting rules at the moment of the fork; the child redacts all the same."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with redaction._lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        adopt(OwnRules(secrets=("my-own-secret",)), {})
        os._exit(redact_text("my-own-secret")[1])
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join()

    assert os.waitstatus_to_exitcode(status) == 1


def test_more_secrets_than_are_looked_for_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configured ones come first, and doctor warns."""
    for number in range(MAX_SECRETS + 1):
        monkeypatch.setenv(f"A{number}_API_KEY", f"some.key.{number:06}")
    monkeypatch.setenv("COSMOS_KEY", "zzzz.own.key")

    (finding,) = [finding for finding in examine() if finding.check == "redaction"]

    assert own_secrets(("zzzz.own.key",), os.environ).count("zzzz.own.key") == 1
    assert finding.state == "warning"
    assert "502 texts" in finding.detail


def learn_late(_: object) -> None:
    os.environ["LATE_API_KEY"] = secret = ".".join(("late", "battery", "horse"))
    print(f"printed {secret}", flush=True)
    logging.getLogger("late").error("logged %s", secret)
    with step("use it", value=secret) as use:
        use.output = f"got {secret}"
    print(f"to stderr {secret}", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_secret_that_comes_while_it_runs_goes_everywhere() -> None:
    """As after `load_dotenv()`: from steps, logs and both streams, also of a process that is killed."""
    _, record = run_with_failure_detection(learn_late, None)

    told = record.model_dump_json()
    assert "late.battery.horse" not in told
    assert told.count("[redacted:own_secret]") >= 5
    assert record.logs.stdout.text == "printed [redacted:own_secret]\n"
