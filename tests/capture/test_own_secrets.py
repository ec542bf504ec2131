"""Which texts are the process's own secrets, in which forms they are known, and which of its texts are none."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from failtrace.capture.redaction import follow, redact_text
from failtrace.secrets.own_secrets import own_secrets
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
