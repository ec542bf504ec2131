"""Every kind of secret goes, every look-alike stays. Secrets are put together here, so that no scanner finds one."""

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failtrace.capture.redaction import gate, is_secret_key, redact_text

HEX = "0123456789abcdef"
MIXED = "aB3dE5gH7jK9mN1pQ2sT4vW6xY8z"
LONG = MIXED * 3
PEM_BODY = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" + MIXED] * 3)
JWT = ".".join(["ey" + "JhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"])
BASIC = base64.b64encode(b"alice:wonder" + b"land").decode()
ACCOUNT_KEY = base64.b64encode(bytes(range(64))).decode()

# kind -> (text, what must be gone)
SECRETS = {
    "pem": ("-----BEGIN RSA PRIVATE" + f" KEY-----\n{PEM_BODY}\n-----END RSA PRIVATE KEY-----", PEM_BODY[:40]),
    "pem in a repr": (
        "key='-----BEGIN PRIVATE" + f" KEY-----\\n{MIXED}\\n{MIXED}\\n-----END PRIVATE KEY-----\\n'",
        MIXED,
    ),
    "pem cut off": ("-----BEGIN OPENSSH PRIVATE" + f" KEY-----\n{PEM_BODY}", MIXED),
    "aws id": ("id AKIA" + "IOSFODNN7EXAMPLE in us-east-1", "IOSFODNN7"),
    "aws session id": ("ASIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    "aws pair": ("AKIA" + "IOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    "aws secret by name": ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    "github classic": ("gh" + "p_" + MIXED + "abcdefgh", MIXED),
    "github after an escape": ("Traceback\\ngh" + "o_" + MIXED + "abcdefgh\\nnext", MIXED),
    "github in colour": ("\x1b[31mgh" + "s_" + MIXED + "abcdefgh\x1b[0m", MIXED),
    "github fine-grained": ("github" + "_pat_" + MIXED + "_" + MIXED, MIXED),
    "gitlab": ("gl" + "pat-" + MIXED, MIXED),
    "slack": ("xox" + "b-1234567890-" + MIXED, MIXED),
    "slack hook": ("https://hooks.slack.com/services/T0AB" + f"CDEF1/B0ABCDEF2/{MIXED}", MIXED),
    "openai": ("sk-" + MIXED + "T3BlbkFJ" + MIXED, MIXED),
    "openai project": ("Incorrect API key provided: sk-" + "proj-" + MIXED, MIXED),
    "anthropic": ("x-api-key sk-" + "ant-api03-" + MIXED, MIXED),
    "stripe": ("sk_" + "live_" + MIXED, MIXED),
    "stripe restricted": ("rk_" + "live_" + MIXED, MIXED),
    "google": ("AI" + "za" + LONG[:35], LONG[:35]),
    "sendgrid": ("S" + "G." + MIXED[:22] + "." + LONG[:43], LONG[:43]),
    "npm": ("//registry.npmjs.org/:_authToken=npm" + "_" + LONG[:36], LONG[:36]),
    "pypi": ("py" + "pi-AgEIcHlwaS5vcmc" + LONG, LONG),
    "huggingface": ("h" + "f_" + LONG[:34], LONG[:34]),
    "groq": ("gs" + "k_" + LONG, LONG),
    "jwt": (f"cookie was {JWT}", "eyJzdWIi"),
    "bearer": ("curl -H 'Authorization: Bearer " + MIXED + "'", MIXED),
    "basic": ("Authorization: Basic " + BASIC, BASIC),
    "authorization, own scheme": ("authorization: Token " + HEX, HEX),
    "cookie": ("Cookie: sid=" + HEX + "; theme=dark\nHost: x", HEX),
    "set-cookie": ("set-cookie: session=" + HEX + "; HttpOnly", HEX),
    "azure storage": (f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={ACCOUNT_KEY};", ACCOUNT_KEY[:20]),
    "bare cosmos key": (f"connecting with {ACCOUNT_KEY} now", ACCOUNT_KEY[:20]),
    "service bus": ("Endpoint=sb://a/;SharedAccess" + "Key=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==", "Zm9vYmFy"),
    "sas url": ("https://a.blob.core.windows.net/c?sv=2022-11-02&sig=Zm9vYmFy" + "YmF6%3D&se=2030", "Zm9vYmFy"),
    "sql server": ("Server=db;User Id=sa;Password=" + "p@ss(w0rd)!;Encrypt=yes", "w0rd"),
    "url password": ("postgresql://app:s3cr3t" + "@db.local:5432/shop", "s3cr3t"),
    "url, no user": ("redis://:hunter" + "2@cache:6379/0", "hunter2"),
    "sentry dsn": ("https://" + HEX * 2 + "@o1.ingest.sentry.io/1", HEX),
    "mysql dsn": ("root:hunter" + "2@tcp(127.0.0.1:3306)/shop", "hunter2"),
    "assignment": ("login failed: password=hunter" + "2, user=bob", "hunter2"),
    "a word": ("password=sword" + "fish", "swordfish"),
    "colon": ("password: hunter" + "2", "hunter2"),
    "spaced ini": ("db_password = sword" + "fish\nhost = x", "swordfish"),
    "prose": ("My password is hunter" + "22, thanks", "hunter22"),
    "env": ("export OPENAI_API_KEY=abc" + "def123456", "abcdef123456"),
    "repr of a dict": ("{'user': 'bob', 'password': 'hunter" + "2 with spaces'}", "hunter2"),
    "json": ('{"client_secret": "corr' + 'ect horse", "n": 1}', "horse"),
    "json in json": ('{"body": "{\\"apiKey\\": \\"abc' + '-xyz\\", \\"n\\": 1}"}', "abc-xyz"),
    "quote inside": ("{'password': 'it\\'s hunter" + "2'}", "hunter2"),
    "cut in the value": ("{'password': 'hunter" + "2 and no end", "hunter2"),
    "repr of an object": ("Config(host='x', api_key='abc" + "-xyz', retries=3)", "abc-xyz"),
    "source line": ('    connect(password: str = "hunter' + '2")', "hunter2"),
    "secretstr": ("    password=SecretStr('hunter" + "2'),", "hunter2"),
    "item assignment": ("headers['X-Api-Key'] = 'abc" + "-xyz'", "abc-xyz"),
    "flag": ("mysqldump --password hunter" + "2 --host db", "hunter2"),
    "flag in argv": ("['deploy', '--api-key', 'abc" + "-123', '-v']", "abc-123"),
    "query": ("GET /v1?access_token=abc" + "-123&page=2", "abc-123"),
    "xml": ("<soap:Password>hunter" + "2</soap:Password>", "hunter2"),
    "curl": ("curl -u alice:wonder" + "land https://x", "wonderland"),
    "nested in a note": ("note='password=hunter" + "2'", "hunter2"),
    "two in a line": ("password=hunter" + "2 token=abc-123-xyz", "abc-123"),
}

LOOK_ALIKES = [
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "id 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 4).decode(),
    "integrity sha512-" + ACCOUNT_KEY,
    "max_tokens=100, prompt_tokens: 4096, 'total_tokens': 4196, token_count=77",
    "token: 5",
    "token = next(tokens)",
    "next_page_token=CAUQAA12345",
    "session: 5 minutes, session_count=12",
    "pip install sk-learn scikit-learn",
    ".sk-cube-grid-animation-container-1 { margin: 0 }",
    "a task-oriented, risk-free approach",
    "authors: Ada Lovelace and Charles Babbage",
    "password is required",
    "password: must be at least 8 characters, 1 digit",
    "password: 8-20 characters",
    "Password: required",
    "Basic idea of a bearer of bad news",
    "basic understanding, Basic authentication",
    "Bearer authentication is used",
    "write to ada.lovelace@example.com",
    "https://host/path?sort=asc&key=name&page=2",
    "https://medium.com/@user/post:12",
    "http://localhost:8501/failure?failure_id=0190a5f2-7b1c-7c3e-8d2a-1b2c3d4e5f60",
    "git@github.com:org/repo.git and ssh://git@github.com/org/repo",
    "def login(user, password=None, token: str | None = None):",
    'client = Client(api_key=os.environ["API_KEY"], secret=settings.secret)',
    "connect(password=password, api_key=api_key, token=token)",
    "password=user_password, secret=get_secret()",
    "self.password = password",
    "password: str",
    "input('Password: ')",
    'api_key="***", password="<your-password>", token="${TOKEN}"',
    "headers = {'Authorization': f'Bearer {token}'}",
    "Authorization: Bearer <token>",
    "pwd=/home/ada/work",
    "PWD=/root",
    "password_policy: strong1 and secret_name=db-creds-1",
    "the secretary's keyboard monkey: 12345678",
    "cookie: chocolate chip",
    "Cookies: accepted",
    '{"type": "object", "properties": {"password": {"type": "string"}}}',
    '{"token": "Hello", "logprob": -0.31, "bytes": [72]}',
    "docker run -u 1000:1000 image",
    "git_sha=9fceb02d0ae598e95dc970b74767f19372d61af8",
    "public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbc",
    "primary_key=id, sort_key=created_at, foreign key: user_id",
    "raise KeyError('api_key')",
    "if not api_key: raise ValueError",
    'if text.startswith("-----BEGIN RSA PRIVATE KEY-----"): return parse(text)',
    "paste all from -----BEGIN RSA PRIVATE KEY----- then some more, to the end",
    "auth: oauth2",
    "[redacted:github]: not here",
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
]


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
"""


@pytest.mark.parametrize("key", SECRET_KEYS.split())
def test_secret_key_is_found(key):
    """Names of secrets are found in every spelling, and the gate that opens the closer look knows them all."""
    assert is_secret_key(key)
    assert gate()(f"{key}=x")
    assert gate()(f'"{key}": "x"')


@pytest.mark.parametrize("key", HARMLESS_KEYS.split())
def test_harmless_key_stays(key):
    """Names that only resemble those of secrets are not taken for them."""
    assert not is_secret_key(key)


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
    ],
)
def test_hostile_repetition_is_linear(unit):
    """Texts made to send a pattern back and forth end, within the time that pytest gives a test."""
    cleaned, _ = redact_text(unit * (400_000 // len(unit)))

    assert len(cleaned) > 0
