"""Every kind of secret goes, every look-alike stays."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.secret_samples import ISSUED, LOOK_ALIKES, MIXED, NAMES, SECRETS

from failtrace.capture.redaction import gate, redact_text
from failtrace.secrets.names import secret_key
from failtrace.secrets.own_secrets import own_secrets


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS.keys())
def test_secret_goes(text, secret):
    """Each kind of secret is replaced by a marker that names its rule, and a second pass changes nothing."""
    cleaned, count = redact_text(f"before {text} after")

    assert secret in text
    assert secret not in cleaned
    assert count >= 1
    assert re.search(r"\[redacted:[a-z_:]+\]", cleaned)
    assert cleaned.startswith("before ")
    assert redact_text(cleaned) == (cleaned, 0)


@pytest.mark.parametrize("key", sorted(ISSUED), ids=lambda key: key[:8])
def test_an_issuers_key_goes(key):
    """Wherever in a sentence a key stands, its prefix tells it."""
    cleaned, count = redact_text(f"request failed for key {key} at 12:00")

    assert count == 1
    assert re.fullmatch(r"request failed for key \[redacted:[a-z_]+\] at 12:00", cleaned)


@pytest.mark.parametrize("key", sorted(key for key in ISSUED if "AzSe" not in key), ids=lambda key: key[:8])
def test_of_a_longer_key_nothing_is_left(key):
    """However many characters its rule knows of."""
    cleaned, _ = redact_text(f"request failed for key {key}{key[-1] * 9000} at 12:00")

    assert re.fullmatch(r"request failed for key (?:sb_|pi_\w{24}_)?\[redacted:[a-z_]+\] at 12:00", cleaned)


@pytest.mark.parametrize(
    "told",
    [
        "password={}",
        "password: '{}'",
        '{{\\"password\\": \\"{}\\"}}',
        "token={}",
        "token: '{}'",
        "Authorization: Bearer {}",
        "authorization: {}",
        "Cookie: sid={}; a=b",
        "postgresql://app:{}@db/shop",
        "root:{}@tcp(127.0.0.1:3306)/shop",
        "<password>{}</password>",
        '{{"name": "DB_PASSWORD", "value": "{}"}}',
        "passwords=['{}']",
        "\nsecret: |\n  {}\n",
        "IDENTIFIED BY '{}'",
        "curl -u ada:{} https://x",
        "requests.get(url, auth=('ada', '{}'))",
    ],
)
def test_a_long_secret_goes_whole(told):
    """No rule counts to an end behind which the rest could be read."""
    secret = MIXED * 800
    cleaned, _ = redact_text(told.format(secret))

    assert MIXED[:5] not in cleaned
    assert MIXED[-5:] not in cleaned
    assert len(cleaned) < 120


@pytest.mark.parametrize(
    "told",
    [
        '{"api_key": "sk-' + "proj-" + MIXED + ' and more", "n": 1}',
        '{"private_key": "-----BEGIN PRIVATE'
        + f" KEY-----\\\\n{MIXED}\\\\n-----END PRIVATE KEY-----"
        + '\\n", "n": 1}',
        '{"secret": "[1,2,3x4]", "n": 1}',
        '{"password": 12345678}',
        '{"password": 1.2345678e-07}',
        "{\"log\": \"credentials={'a': 'b1c2" + 'd3\'", "y": ["keep"], "w": "}"}',
        '{"n": {"password": -1234.5678}}',
        '{"passwords": ["hunter' + '2", {"a": "x1y2z3"}], "n": 1}',
        '{"body": "{\\"passwords\\": [\\"hunter' + '22\\"], \\"password\\": 12345678}"}',
    ],
)
def test_json_stays_json(told):
    """Whatever goes, what is left can be parsed; and what two rules find counts once."""
    cleaned, count = redact_text(told)

    parsed = json.loads(cleaned)
    assert count == cleaned.count("[redacted:") > 0
    assert json.loads(parsed["body"]) if "body" in parsed else parsed


@settings(deadline=None)
@given(
    st.sampled_from(["password", "credentials", "named", "flag", "pem"]),
    st.text("ab7}]{['\"\\\n é", max_size=8),
    st.integers(0, 3),
)
def test_json_in_json_hides_and_stays_json(place, noise, level):
    """However often it was written into JSON again: the secret goes, what is beside it stays, and all can be parsed."""
    secret = "wonder" + "land7"
    held = {
        "password": {"password": noise + secret + noise},
        "credentials": {"credentials": {"user": noise, "p": [secret]}},
        "named": {"name": "DB_PASSWORD", "value": secret},
        "flag": {"command": f"mysql -u root -p{secret}"},
        "pem": {"pem": "-----BEGIN PRIVATE" + f" KEY-----\n{MIXED}\n{secret}{MIXED}\n-----END PRIVATE KEY-----\n"},
    }[place]
    told = json.dumps({"first": noise, **held, "last": "it stays"})
    for _ in range(level):
        told = json.dumps({"text": told})

    cleaned, count = redact_text(told)

    for _ in range(level):
        cleaned = json.loads(cleaned)["text"]
    assert count >= 1
    assert secret not in cleaned
    assert MIXED not in cleaned
    assert json.loads(cleaned)["last"] == "it stays"


CUT_OFF = ("pem cut off", "cut in the value")
"""Where nothing tells the end, all goes."""


@pytest.mark.parametrize(
    ("text", "secret"),
    [told for kind, told in SECRETS.items() if kind not in CUT_OFF],
    ids=[kind for kind in SECRETS if kind not in CUT_OFF],
)
def test_a_text_that_stands_in_json_leaves_it_whole(text, secret):
    """Also in JSON in JSON: the secret goes, and nothing of what stands around it."""
    inner = json.dumps({"text": text, "after": 1})
    for told in (inner, json.dumps({"inner": inner, "after": 1})):
        cleaned, _ = redact_text(told)

        assert secret not in cleaned
        assert json.loads(cleaned)["after"] == 1
        assert json.loads(json.loads(cleaned).get("inner", cleaned))["after"] == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"csv": "name,password\\nada,%s\\n", "loss": [0.5,1.5e-07]}',
        'name,password\nada,%s\n{"loss":[0.5,1.5e-07]}',
        "name,password\nada,%s\n\ndef f(a,b):\n    return g(a,b1c2d)\n",
        "\x1b[32mpassword=%s\x1b[0m next line",
        "Result(stdout='name,password\\nada,%s',rc=0)",
        '{"a": "DB_PASSWORD=%s", "b": 1}',
    ],
)
def test_what_stands_behind_stays(text):
    """A table ends, and a value takes nothing along."""
    assert redact_text(text % "hunter22xQ")[0] == text % "[redacted:key:password]"


def test_brackets_and_quotes_that_are_none_hide_nothing_else():
    """A bracket in quotes closes none, an apostrophe opens no quote."""
    assert redact_text('{"secrets": ["a[b7' + 'x"], "n": [1]}')[0] == '{"secrets": "[redacted:key:secrets]", "n": [1]}'
    assert redact_text("passwords: {a: 'don't7x', b: 'x1y2'} it's")[0] == "passwords: [redacted:key:passwords] it's"
    assert redact_text("Model(passwords=['x1" + "y2z3'], n=1)")[0] == "Model(passwords=[redacted:key:passwords], n=1)"


@pytest.mark.parametrize("name", NAMES.split())
def test_a_name_tells_its_value(name):
    """In an environment file, and as an own secret of the process."""
    assert redact_text(f"{name}={MIXED}")[1] == 1
    assert MIXED in own_secrets((), {name: MIXED})


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alike_stays(text):
    """What only looks like a secret is kept to the letter."""
    assert redact_text(text) == (text, 0)


def test_only_the_secret_goes():
    """The text around a secret stays readable."""
    text = "GET https://bob:hunter" + "2@host/x failed: password='hunter" + "2', retry in 5 s"

    assert redact_text(text) == (
        "GET https://bob:[redacted:url_password]@host/x failed: password='[redacted:key:password]', retry in 5 s",
        2,
    )


def test_other_variables_of_the_line_stay():
    """What follows a secret in a line of variables is read as before."""
    text = "API_KEY=abc-" + "12345 USER=bob retries=3\npassword=hunter" + "22,user=ada,n=1 by hand"

    assert redact_text(text)[0] == (
        "API_KEY=[redacted:key:api_key] USER=bob retries=3\npassword=[redacted:key:password],user=ada,n=1 by hand"
    )


def test_a_block_of_yaml_ends_where_it_ends():
    """Lines of the block go, the key beside it stays."""
    text = "- secret: |\n    first\n    second\n  port: 5432\n"

    assert redact_text(text) == ("- secret: |\n    [redacted:key:secret]\n  port: 5432\n", 1)


SECRET_KEYS = """
password db_password PGPASSWORD userPassword password_hash password2 passwd secret client_secret clientSecret
api_key apiKey APIKEY api-key X-Api-Key openai_api_key COSMOS_KEY private_key AccountKey SharedAccessKey
aws_secret_access_key Authorization http.request.header.authorization proxy-authorization auth_token access_token
refreshToken id_token token sessionid session_id cookie Set-Cookie csrf csrf_token csrfmiddlewaretoken
connection_string ConnectionString credentials jwt bearer
"""
HARMLESS_KEYS = """
authors author max_tokens token_count tokens prompt_tokens llm.token_count.prompt author_token_count next_page_token
keyboard monkey secretary passage compass tokenizer session_count session.id git_sha password_policy secret_name
secretsmanager_arn api_key_id authorization_url cookies_enabled key public_key primary_key $failtrace пароль
github_prod list_test stripe_keys_count key_prod openai_model test_keyboard
"""


@pytest.mark.parametrize("key", SECRET_KEYS.split())
def test_secret_key_is_found(key):
    """Names of secrets are found in every spelling, and the gate that opens the closer look knows them all."""
    assert secret_key(key)
    assert gate()(f"{key}=x")
    assert gate()(f'"{key}": "x"')


@pytest.mark.parametrize("key", HARMLESS_KEYS.split())
def test_harmless_key_stays(key):
    """Names that only resemble those of secrets are not taken for them."""
    assert secret_key(key) is None


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([text for text, _ in SECRETS.values()]),
            st.sampled_from(LOOK_ALIKES),
            st.sampled_from(
                [" ", "\n", '"', "'", "password", "=", ": ", "token", "\\n", "[", "]", "redacted:", "@", "://"]
            ),
            st.text(max_size=20),
        ),
        max_size=6,
    )
)
def test_redaction_is_idempotent(parts):
    """Whatever stands beside whatever: what was redacted once is not touched again."""
    once, _ = redact_text("".join(parts))

    assert redact_text(once) == (once, 0)


@pytest.mark.parametrize(
    "unit",
    [
        "eyJ-",
        "password=",
        "token=",
        "token='x ",
        'secret: \\"',
        "password='",
        '"secret": "',
        "://a:",
        "-----BEGIN PRIVATE KEY-----\n",
        "sk-",
        "Bearer ",
        "a.b-",
        "Cookie: a=",
        "--token ",
        "<token>",
        "AKIA",
        "A" * 87 + "=",
        "\\",
        "api key ",
        r"\na\n        input_value=",
        "input_value=a...",
        "value: 'a' name: ",
        "passwords=[",
        "secret: {'a': ",
        "curl -u",
        "netloc='a:",
        "create role a ",
        'name="password"\n\n',
        '<input name="password" a="b" ',
        "Private-Lines: 1\n",
        "jdbc:oracle:thin:a/",
        "password: |\n  ",
        "password='''",
        "password=a,",
        "password=,a",
        "PASSWORD=(a1",
        "\nPASSWORD=hunter a",
        "authorization:",
        "authorization: a1b2c3 ",
        "otp==",
        "sid:",
        "token=\\`",
        "passwords={",
        "passwords=[]]",
        "cookie:a",
        "://a:b@c",
        "://a:b",
        "PASSWORD '",
        "password: |\n  token: |\n",
        "passwords: ['passwords: [\"passwords: [\\\"passwords: [\\'",
        "machine\\n",
        "ENV A_PASSWORD ",
        "<password><![CDATA[",
        "password:\n - a1",
        "password,",
        "a,password\n",
        "INSERT INTO t (password) VALUES (",
        "[SQL: UPDATE t SET password=?]\n[parameters: ('a', ",
        "<key>password</key>",
        "passwords:\\n  a: b1\\n",
        "password=<<A\nx\n",
        "&quot;password&quot;: &quot;",
        '"name": "password", "a": "b", ',
    ],
)
def test_hostile_repetition_is_linear(unit):
    """Texts made to send a pattern back and forth end, within the time that pytest gives a test."""
    cleaned, _ = redact_text(unit * (200_000 // len(unit)))

    assert len(cleaned) > 0
