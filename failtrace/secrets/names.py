"""Which key names hold secrets: exact words after splitting camelCase, snake_case and kebab-case.

The secret word must be the head of the name, its last word, or stand right before a word such as `value` or `header`:
`db_password`, `openai.apiKey` and `X-Auth-Token` are secret; `password_policy`, `max_tokens`, `token_count`,
`authors` and `api_key_id` are not.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from failtrace.secrets.own_rules import cached_by_rules

MAX_KEY = 256
"""Longer keys are judged by their end, where the head of a name stands."""

_NO_NAME = re.compile(r"[()={}<>;\"'\n]|: ")
"""What stands in code and sentences, and in no name."""
_NAME_ALONE = re.compile(r"[A-Za-z]+(?:[ _.-][A-Za-z]+)*")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_CERTAIN_NAMES = """
password passwords passwd passphrase passcode pwd secret secrets credential credentials creds
authorization auth-header cookie cookies csrf xsrf csrfmiddlewaretoken jwt bearer
api-key api-keys private-key access-key account-key secret-key encryption-key decryption-key signing-key
master-key shared-key subscription-key ssh-key hmac-key deploy-key session-key auth-key
cosmos-key webhook-key
access-token refresh-token auth-token bearer-token id-token session-token security-token api-token secret-token
oauth-token sas-token login-token reset-token csrf-token xsrf-token jwt-token
pw smtp-pass mail-pass email-pass ftp-pass db-pass database-pass user-pass mysql-pass pg-pass redis-pass admin-pass
functions-key pre-shared-key psk seed-phrase recovery-phrase recovery-code recovery-codes backup-code backup-codes
license-key secret-key-base fernet-key aes-key client-key-data consumer-key service-role-key supabase-key search-key
admin-key app-key keypass storepass key-pass store-pass code-verifier secret-string otp-secret totp-secret
access-tokens refresh-tokens api-tokens auth-tokens secret-keys private-keys
pswd passkey priv-key identity-token
passwort kennwort contrasena senha mot-de-passe
connection-string conn-string conn-str shared-access-signature
"""
_DOUBTFUL_NAMES = (
    "token auth storage-key service-key session session-id sessionid phpsessid jsessionid sid otp pass pat"
)
"""Names that also stand for harmless things: their values are secret where they look opaque."""
_SUFFIX_WORDS = """
value values header raw plain text plaintext base64 b64 pem encoded hash old new current confirm confirmation repeat
again str list prod production staging dev development test live sandbox
"""
_VENDOR_WORDS = """
anthropic openai azure aws gcp google gemini mistral cohere groq deepseek openrouter huggingface pinecone tavily
github gitlab stripe paypal twilio sendgrid mailgun slack discord telegram sentry datadog cloudflare supabase notion
"""
"""Who gives keys: `STRIPE_KEY`, `API_KEY_OPENAI`."""
_HARMLESS_WORDS = "next page previous prev continuation pagination sync cursor skip"

_VENDORS = _VENDOR_WORDS.split()
_CERTAIN_PHRASES = [*_CERTAIN_NAMES.split(), *(f"{vendor}-key" for vendor in _VENDORS)]
_DOUBTFUL_PHRASES = _DOUBTFUL_NAMES.split()
_SUFFIXES = frozenset([*_SUFFIX_WORDS.split(), *_VENDORS])
_HARMLESS_BEFORE_TOKEN = frozenset(_HARMLESS_WORDS.split())
_EXEMPT = frozenset(["session.id"])
"""`session.id` is OpenInference's name of a conversation."""

_STRONG = {phrase.replace("-", ""): phrase.replace("-", "_") for phrase in _CERTAIN_PHRASES}
_DOUBTFUL = {phrase.replace("-", ""): phrase.replace("-", "_") for phrase in _DOUBTFUL_PHRASES}
_GLUED_ENDINGS = ("password", "passwd", "passphrase", "secret", "apikey")

_OF_MANY = frozenset(
    f"key:{name}"
    for name in ("passwords", "api_keys", "api_tokens", "access_tokens", "auth_tokens", "secret_keys", "private_keys")
)

_own: dict[str, str] = {}
_kept: frozenset[str] = frozenset()


class SecretKey(NamedTuple):
    """Why a key is taken for secret."""

    rule: str
    """The words found, e.g. `key:api_key`."""
    doubtful: bool
    """Whether only opaque values under it are secret."""
    own: bool = False
    """Whether it is a name of the user's own, under which every value is."""

    @property
    def of_many(self) -> bool:
        """Whether it names several secrets, so that no settings stand under it, as they do under `secrets`."""
        return self.rule in _OF_MANY


def adopt_keys(own: Sequence[str], kept: Sequence[str]) -> None:
    """From now on `own` names are those of secrets too, and `kept` ones are not."""
    global _own, _kept
    _own = {"".join(words): "_".join(words) for words in map(words_of, own)}
    _kept = frozenset("".join(words_of(name)) or name.casefold() for name in kept)


def words_of(key: str) -> list[str]:
    """Its words in lower case, however they are joined: camelCase, snake_case, kebab-case, with dots or spaces."""
    return [word.lower() for word in _WORDS.findall(key)]


def gate_of(own: Sequence[str]) -> str:
    """All names as a pattern without look-around, for the one scan that decides whether to look closer."""
    phrases = [*_CERTAIN_PHRASES, *_DOUBTFUL_PHRASES, *("-".join(words_of(key)) for key in own)]
    names = "|".join(phrase.replace("-", "[ _.-]?") for phrase in phrases)
    return rf"(?i-u:{names})(?:[ _.-]?(?i-u:{'|'.join(sorted(_SUFFIXES))}|[0-9]{{1,3}})){{0,2}}"


def is_bare_name(value: str) -> bool:
    """Whether the text is a name of secrets and no more, as `OPENAI_API_KEY=api_key` has one for want of a key."""
    glued = "".join(words_of(value))
    return (glued in _STRONG or glued in _DOUBTFUL) and _NAME_ALONE.fullmatch(value) is not None


def secret_key(key: str) -> SecretKey | None:
    """Why `key` is secret, or None where it is not."""
    return _secret_key(key[-MAX_KEY:])


@cached_by_rules(4096)
def _secret_key(key: str) -> SecretKey | None:
    return None if _kept and not _kept.isdisjoint(_ends_of(key)) else named_secret(key)


def named_secret(key: str) -> SecretKey | None:
    """As `secret_key`, whatever the user wants to stay."""
    words = words_of(key)
    if not words or key in _EXEMPT or _NO_NAME.search(key):
        return None
    if _own and (own := _own_key(words)):
        return own
    while len(words) > 1 and (words[-1] in _SUFFIXES or words[-1].isdigit()):
        words.pop()
    if _own and (own := _own_key(words)):
        return own
    for length in (3, 2, 1):
        if found := _STRONG.get("".join(words[-length:])):
            return SecretKey(f"key:{found}", doubtful=False)
    for ending in _GLUED_ENDINGS:
        if words[-1].endswith(ending):
            return SecretKey(f"key:{_STRONG[ending]}", doubtful=False)
    return _doubtful(words)


def _own_key(words: list[str]) -> SecretKey | None:
    for start in range(len(words)):
        if found := _own.get("".join(words[start:])):
            return SecretKey(f"key:{found}", doubtful=False, own=True)
    return None


def _ends_of(key: str) -> tuple[str, str]:
    """The name, and what stands after its last dot, however they are spelled."""
    name = key.lstrip("-")
    last = name.rpartition(".")[2]
    return "".join(words_of(name)) or name.casefold(), "".join(words_of(last)) or last.casefold()


def _doubtful(words: list[str]) -> SecretKey | None:
    if words[-1] == "token" and len(words) > 1 and words[-2] in _HARMLESS_BEFORE_TOKEN:
        return None
    for length in (2, 1):
        if found := _DOUBTFUL.get("".join(words[-length:])):
            return SecretKey(f"key:{found}", doubtful=True)
    return None
