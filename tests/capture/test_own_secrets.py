"""Which texts are the process's own secrets, in which forms they are known, and which of its texts are none."""

import base64
import html
import json
import logging
import os
import re
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from failtrace import run_with_failure_detection, step
from failtrace.capture import redaction
from failtrace.capture.redaction import adopt, follow, keep_up, redact_text, redactor
from failtrace.capture.sanitiser import Marks, sanitise
from failtrace.secrets.literals import Literals
from failtrace.secrets.own_rules import OwnRules
from failtrace.secrets.own_secrets import MAX_PIECE, own_secrets
from failtrace.secrets.redactor import Redactor
from failtrace.secrets.wrapped import spans_in_wrapped
from failtrace.settings import Settings

KEY = 'sec"ret/ö' + "+key=1<& 2"


def as_it_is(text: str) -> str:
    """In JSON that keeps what is not ASCII."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("SHOP_API_KEY", "blue.horse", "blue.horse"),
        ("OPENAI_API_KEY", "correcthorsebattery", "correcthorsebattery"),
        ("DB_PASSWORD", "hunter" + "2", "hunter2"),
        ("DB_PASSWORD", "!hunter" + "22", "!hunter22"),
        ("DB_PASSWORD", "your-dog-rex" + "9", "your-dog-rex9"),
        ("GITHUB_TOKEN", "abc123def456", "abc123def456"),
        ("DATABASE_URL", "postgresql://app:s3cr3t!@db.local/shop", "s3cr3t!"),
        ("BROKER", "amqp://u:p%40ss%2Fw0rd@mq", "p@ss/w0rd"),
        ("ANALYTICS", "postgresql://u:pa@wonder" + "land7@h/db", "pa@wonder" + "land7"),
        ("MYSQL", "root:hunter" + "22x@tcp(db:3306)/shop", "hunter" + "22x"),
        ("GIT", "https://aB3dE5gH7jK9mN1pQ2" + "sT4v@git.local/x", "aB3dE5gH7jK9mN1pQ2" + "sT4v"),
        ("STORAGE", "AccountName=a;AccountKey=Zm9vYmFyYmF6cXV4;", "Zm9vYmFyYmF6cXV4"),
        ("MY_PASS", "hunter" + "22", "hunter" + "22"),
        ("H_TOKEN", "correct" + "horsebattery", "correct" + "horsebattery"),
        ("CI_PAT", "wonder-land-key", "wonder-land-key"),
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
        ("H_TOKEN", "horse"),
        ("MY_PASS", "let them all pass"),
        ("BOARDING_PASS", "/home/ada/pass2"),
        ("MY_AUTH", "correct" + "horsebattery"),
        ("MY_SESSION", "hunter" + "22"),
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
        quote(KEY, safe="!'()*~"),
        re.sub("%..", lambda escaped: escaped.group().lower(), quote(KEY, safe="")),
        quote_plus(KEY),
        json.dumps(json.dumps(KEY)[1:-1])[1:-1],
        html.escape(KEY),
        html.escape(KEY, quote=False),
        html.escape(KEY).replace("&quot;", "&#34;"),
        json.dumps(KEY)[1:-1].replace("&", r"\u0026").replace("<", r"\u003c"),
        json.dumps(KEY)[1:-1].replace("/", r"\/"),
        repr(KEY.encode())[2:-1],
        quote(base64.b64encode(KEY.encode()).decode(), safe=""),
        json.dumps(json.dumps(json.dumps(KEY)[1:-1])[1:-1])[1:-1],
        as_it_is(as_it_is(as_it_is(KEY))),
        as_it_is(json.dumps(as_it_is(KEY))[1:-1]),
        as_it_is(as_it_is(KEY)),
        html.escape(json.dumps(KEY)[1:-1]),
        html.escape(json.dumps(KEY, ensure_ascii=False)[1:-1]).replace("&quot;", "&#34;"),
        KEY.replace('"', '""'),
        html.escape(KEY, quote=False).replace('"', "&quot;"),
        repr(json.dumps(KEY))[2:-2],
        json.dumps(repr(KEY))[2:-2],
        repr(repr(KEY)[1:-1])[1:-1],
    ],
)
def test_configured_key_goes_in_every_encoding(form: str) -> None:
    """The key of Cosmos DB, as URLs, JSON, reprs and base64 write it."""
    follow(Settings.load(cosmos_key=SecretStr(KEY)))

    assert redact_text(f"cannot connect with {form} now")[0].startswith("cannot connect with [redacted:own_secret]")


@pytest.mark.parametrize("apostrophe", ["''", "'\"'\"'", r"'\''"], ids=["SQL", "shell", "shell's backslash"])
def test_secret_goes_as_quotes_write_its_apostrophe(apostrophe: str) -> None:
    """What is between two quotes cannot hold a third as it is."""
    secret = "it's.a'secret"
    adopt(OwnRules(secrets=own_secrets((), {"SHOP_API_KEY": secret})), {})

    assert redact_text(f"run '{secret.replace(chr(39), apostrophe)}' now")[0] == "run '[redacted:own_secret]' now"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "urlsafe"])
@pytest.mark.parametrize("around", [("ada:", ""), ("", ":ada"), ("<", ">>"), ("id=7&k=", "&n=1"), ("-", "?")])
def test_secret_goes_from_the_midst_of_base64(encode, around: tuple[str, str]) -> None:
    """As of a login: wherever it begins, no more than a few bits of its ends are left."""
    secret = "bl\u00ff?e.ho>>r" + "se"
    before, after = around
    adopt(OwnRules(secrets=own_secrets((), {"SHOP_API_KEY": secret})), {})

    told, count = redact_text(f"sent {encode((before + secret + after).encode()).decode()} to the server")

    assert count == 1
    assert (
        len(told.replace("[redacted:own_secret]", "")) <= len("sent  to the server") + 4 * len(before + after) // 3 + 6
    )


def wrap(text: str, columns: int, end: str) -> str:
    """Each line with its end, the last one too."""
    return "".join(text[at : at + columns] + end for at in range(0, len(text), columns))


@pytest.mark.parametrize("end", ["\n", "\r\n", r"\n", r"\r\n", r"\\n", "\n    ", "\n> ", "\n# "])
@pytest.mark.parametrize("columns", [64, 76])
@pytest.mark.parametrize("secret", ["ab.cd" + "/1", "blue.horse.77" * 20], ids=["short", "long"])
def test_secret_goes_from_base64_in_lines(secret: str, columns: int, end: str) -> None:
    """Wherever it begins in them, with the ends of lines in its midst."""
    adopt(OwnRules(secrets=own_secrets((), {"SHOP_API_KEY": secret})), {})
    for before in range(120):
        told = base64.b64encode(b"-" * before + secret.encode() + b"+" * 90).decode()

        clean, count = redact_text(f"sent {wrap(told, columns, end)} to the server")

        assert count == 1
        lines = "".join(re.findall("[A-Za-z0-9]+", clean.replace("[redacted:own_secret]", "").replace(r"\n", "")))
        assert base64.b64encode(secret.encode())[4:-4].decode() not in lines
        # No more than the few bits at its ends are left.
        assert len(clean) <= len(f"sent {wrap(told, columns, end)} to the server") - len(secret) * 4 // 3 + 4 + 22


def test_secret_goes_from_what_python_and_openssl_write() -> None:
    """Also in a repr of it."""
    adopt(OwnRules(secrets=own_secrets((), {"SHOP_API_KEY": "blue.horse.77"})), {})
    told = base64.encodebytes(
        b"user=ada&lang=en&theme=dark&look=wide&password=blue.horse.77&more=of the same, of course"
    )

    assert told.find(b"\n") == 76
    for text in (told.decode(), repr(told), json.dumps({"body": told.decode()}), json.dumps(repr(told))):
        clean, count = redact_text(text)
        assert count == 1
        assert not re.search("Ymx1|LmhvcnNl|Ljc3", clean)


def test_base64_in_lines_without_a_secret_stays() -> None:
    """Its lines, and words on lines of their own beside it."""
    adopt(OwnRules(secrets=own_secrets((), {"SHOP_API_KEY": "blue.horse.77"})), {})
    text = f"blue\nhorse\n{wrap(base64.b64encode(bytes(range(250))).decode(), 76, chr(10))}the end\n"

    assert redact_text(text) == (text, 0)


@pytest.mark.parametrize(
    "text", ["QUJD" * 500_000, "Q\n" * 1_000_000, ("Q" * 40 + r"\n") * 50_000, "Q\n" + " " * 2_000_000]
)
def test_wrapped_base64_takes_linear_time(text: str) -> None:
    """The square of these would be hours."""
    assert spans_in_wrapped(text + "\n" + "Q" * 64 + "\nQ", Literals(["blue.horse.77"])) == []


def test_a_short_secret_hides_no_other_base64() -> None:
    """Pieces of few characters could stand anywhere."""
    assert min(map(len, own_secrets(("ab.1",), {"X_API_KEY": "a.b.c1"}))) == 4
    assert "YWIuM" not in own_secrets(("ab.1",), {})


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
    (folder / "secrets.toml").write_text(
        'host = "db.local"\napi_keys = ["brown.fox.1", "brown.fox.2"]\n[passwords]\nada = "grey.wolf.1"\n'
        '[connections.sql]\nurl = "postgresql://ada:red.hen@77/x@db/shop"\n[[users]]\nname = "ada.of.shop"\n'
        'password = "black.cat"\n'
    )
    found = set(own_secrets((), {}))
    assert {"brown.fox.1", "brown.fox.2", "grey.wolf.1", "red.hen@77/x", "black.cat"} <= found
    assert found.isdisjoint({"db.local", "ada.of.shop"})
    (folder / "secrets.toml").write_text("client_secret = ")
    assert own_secrets((), {}) == ()


def test_a_rotating_secret_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a variable that changes for ever the newest tokens are known, not the oldest; what is held stays."""
    monkeypatch.setattr(redaction, "MAX_REPLACED", 20)
    adopt(OwnRules(secrets=("given-1-secret",)), {})
    monkeypatch.setenv("FIRST_API_KEY", "first.to.come.1")
    for number in range(100):
        monkeypatch.setenv("SHOP_API_KEY", f"token.{number:06}.x")
        keep_up()

    assert redact_text("given-1-secret first.to.come.1 token.000099.x token.000098.x")[1] == 4
    assert redact_text("token.000000.x")[1] == 0
    assert len(redactor().rules.secrets) <= 1 + 20 + len(own_secrets((), os.environ))


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


@pytest.mark.parametrize("in_home", [False, True], ids=["working directory", "home"])
def test_secrets_files_are_those_that_streamlit_is_configured_to_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_home: bool
) -> None:
    """`[secrets] files` of a config.toml, from the working directory on; one that says something else says nothing."""
    here, home = tmp_path / "here", tmp_path / "home"
    config = (home if in_home else here) / ".streamlit" / "config.toml"
    config.parent.mkdir(parents=True)
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    (here / "kept.toml").write_text('[auth]\nclient_secret = "over.the.hills.8"\n')
    (tmp_path / "far.toml").write_text('[auth]\nclient_secret = "far.away.9"\n')

    config.write_text(f"[secrets]\nfiles = ['kept.toml', 7, '{tmp_path / 'far.toml'}', 'none.toml']\n")
    assert {"over.the.hills.8", "far.away.9"} <= set(own_secrets((), {}))
    deep = "files = " + "[" * 100_000
    for strange in ("[secrets]\nfiles = 7", "secrets = 'kept.toml'", "[secrets", "", deep):
        config.write_text(strange)
        assert own_secrets((), {}) == ()


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


def test_every_secret_goes_however_many_and_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands at the start, thousands that come later, one of the length that a variable can have."""
    early = {f"A{number}_API_KEY": f"early.key.{number:06}/é" for number in range(5000)}
    late = {f"B{number}_API_KEY": f"late.key.{number:06}+\udcff" for number in range(5000)}
    long = "".join(f"{number:07}." for number in range(16_000))
    environment = {**early, "LONG_API_KEY": long}
    adopt(OwnRules(secrets=own_secrets((), environment)), environment)
    monkeypatch.setattr(os, "environ", environment | late)
    monkeypatch.setattr(redaction, "_ENVIRONMENT", None)

    keep_up()

    for text in (*early.values(), *late.values()):
        assert redact_text(f"used {text} now") == ("used [redacted:own_secret] now", 1)
        assert redact_text(f"used {quote(text, errors='surrogatepass')} now")[0] == "used [redacted:own_secret] now"
    assert redact_text(f"used {long} now")[0].replace("[redacted:own_secret]", "") == "used  now"
    cut = redact_text(f"used {long[:100_000]}")[0].replace("[redacted:own_secret]", "")
    assert len(cut) < MAX_PIECE + len("used ")


@given(st.lists(st.text("ab.é\udc80", min_size=4, max_size=8), min_size=1), st.text("ab.é\udc80", max_size=40))
def test_no_secret_is_left(secrets: list[str], text: str) -> None:
    """Whatever overlaps with what, no text holds one of them afterwards."""
    told = [secret.encode("utf-8", "backslashreplace").decode() for secret in secrets]

    redacted, count = Redactor(OwnRules(secrets=tuple(told))).redact(text)

    assert not any(secret in redacted for secret in told)
    assert (count > 0) == any(secret in text.encode("utf-8", "backslashreplace").decode() for secret in told)


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


def learn_many(_: object) -> None:
    for number in range(3000):
        os.environ[f"LATE{number}_API_KEY"] = f"late.key.{number:08}.with/slash"
    logging.getLogger("late").error("all are set")
    print("late.key.00000000.with/slash", "late.key.00002999.with/slash", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def test_as_many_as_come_while_it_runs() -> None:
    """The supervisor, which redacts what was printed, hears of each."""
    _, record = run_with_failure_detection(learn_many, None)

    assert record.logs.stdout.text == "[redacted:own_secret] [redacted:own_secret]\n"


def test_a_secret_that_is_a_name_hides_no_other() -> None:
    """`OPENAI_API_KEY=api_key`, for want of one, or a password like the name of a setting: its value goes."""
    assert own_secrets((), {"OPENAI_API_KEY": "api_key", "DB_PASSWORD": "secret-token"}) == ()
    adopt(OwnRules(secrets=("my_shop_api_key",)), {})

    told = redact_text('{"my_shop_api_key": "plain.words.here"} with my_shop_api_key')[0]

    assert "plain.words.here" not in told
    assert "my_shop_api_key" not in told


def test_what_the_environment_holds_is_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a subject's process tells of many others meanwhile."""
    monkeypatch.setattr(redaction, "MAX_REPLACED", 20)
    adopt(OwnRules(), {})
    held = {f"LATE{number}_API_KEY": f"late.key.{number:06}" for number in range(100)}
    for name, value in held.items():
        monkeypatch.setenv(name, value)
    keep_up()

    redaction.learn([f"told.by.another.{number:06}" for number in range(100)])
    keep_up()

    assert [value for value in held.values() if not redact_text(f"used {value} now")[1]] == []


def test_a_name_that_is_kept_keeps_no_secret_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """`[keep] keys` is about what texts show under a name, not about what this process was given."""
    monkeypatch.setenv("SHOP_API_KEY", "blue.horse.77")
    rules = OwnRules(keep_keys=("shop_api_key",))
    for _ in range(2):
        adopt(replace(rules, secrets=own_secrets((), os.environ)), os.environ)

    assert redact_text("shop_api_key=blue.horse.77, shop_api_key=red.fox.99.x") == (
        "shop_api_key=[redacted:own_secret], shop_api_key=red.fox.99.x",
        1,
    )


def test_secrets_that_share_a_part_leave_no_rest() -> None:
    """Whichever begins first."""
    adopt(OwnRules(secrets=("abcdef-123-xyz", "123-xyz-7890-long-tail")), {})

    assert redact_text("a abcdef-123-xyz-7890-long-tail b")[0] == "a [redacted:own_secret] b"


def test_a_secret_may_begin_like_a_path() -> None:
    """One in 64 of base64 does."""
    assert "/wJalrXUtn" + "FEMIK7MDENGbPxRfiCYEXAMPLE+KEY" in own_secrets(
        (), {"AWS_SECRET_ACCESS_KEY": "/wJalrXUtn" + "FEMIK7MDENGbPxRfiCYEXAMPLE+KEY"}
    )
    assert own_secrets((), {"SSH_KEY": "/home/ada/.ssh/id_ed25519"}) == ()


def test_a_secret_is_one_as_a_number_too() -> None:
    """As value, as key, among others; other long numbers stay."""
    adopt(OwnRules(secrets=own_secrets((), {"VAULT_PIN_SECRET": "483920175534"})), {})
    told = json.dumps(sanitise({"a": 483920175534, "b": [1, 483920175534], "c": {483920175534: 1}}, Marks()))

    assert "483920175534" not in told
    assert sanitise([1_795_866_052_155_997_300 // 10**6, 2**53], Marks())[0] == 1_795_866_052_155  # type: ignore[index]
