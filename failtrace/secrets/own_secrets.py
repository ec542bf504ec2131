"""The process's own secrets, which go wherever their text stands, whatever name is beside it.

They are what is configured: failtrace's keys, the dashboard's `secrets.toml`, and the values that the environment has
under names of secrets or inside of URLs and connection strings.
"""

import os
import re
import tomllib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from failtrace.secrets.assignments import redact_assignments
from failtrace.secrets.judgement import is_opaque, is_placeholder
from failtrace.secrets.names import secret_key

MIN_CONFIGURED = 4
"""Characters of the shortest configured secret; shorter ones stand in too many words."""
MIN_FOUND = 6
"""The same for the environment, where also a plain word of less than MIN_WORD letters says nothing."""
MIN_WORD = 12
MAX_SECRETS = 500
MAX_LENGTH = 8192
"""Characters; of a longer one its lines."""

_WORD = re.compile(r"[A-Za-z]+|[0-9]+")
_PATH = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?[/\\][^:@=]*")
_URL_PASSWORD = re.compile(r"://[^\s/:@]{0,128}:([^\s/@]{1,512})@")


def secrets_files() -> tuple[Path, ...]:
    """Where Streamlit looks for the login's configuration: here, beside app.py, in the home, where a variable says."""
    here = Path(".streamlit") / "secrets.toml"
    package = Path(__file__).parents[1]
    places = [here, package.parent / here, package / "dashboard" / here]
    with suppress(RuntimeError):  # an account without a home
        places.append(Path.home() / here)
    named = os.environ.get("STREAMLIT_SECRETS_FILES", "")
    return (*places, *map(Path, filter(None, {named, *re.split(r"[\s,:;]+", named)})))


def secret_texts(configured: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets that a process was given, the configured ones first; beyond MAX_SECRETS none is looked for."""
    own = {text for text in (*configured, *_of_streamlit()) if len(text) >= MIN_CONFIGURED}
    found = {text for name, value in environment.items() for text in _of_variable(name, value)}
    parts = [part for texts in (own, found) for text in sorted(texts) for part in _parts(text)]
    return tuple(dict.fromkeys(part for part in parts if not is_placeholder(part)))


def own_secrets(configured: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every form in which a secret of this process may stand in a text, the longest first."""
    texts = secret_texts(configured, environment)[:MAX_SECRETS]
    return longest_first({form for text in texts for form in _forms(text)})


def longest_first(forms: Iterable[str]) -> tuple[str, ...]:
    """In the order in which they must be looked for: one may hold another."""
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _of_variable(name: str, value: str) -> Iterator[str]:
    """What of a variable is secret: all of it under the name of a secret; what stands in a URL under any."""
    for secret in (*_URL_PASSWORD.findall(value), *_assigned(value), *(_headers(value) if "HEADERS" in name else ())):
        yield from (text for text in {secret, unquote(secret)} if _tells(text))
    key = secret_key(name)
    if key is not None and _tells(value) and (not key.doubtful or is_opaque(value)) and not _PATH.fullmatch(value):
        yield value


def _assigned(text: str) -> list[str]:
    """What of a connection string stands after the name of a secret."""
    found: list[str] = []

    def keep(value: str) -> bool:
        found.append(value)
        return True

    redact_assignments(text, keep)
    return found


def _headers(value: str) -> Iterator[str]:
    """Of `authorization=Bearer%20x,x-team=y`, as OpenTelemetry has it: the values, without a scheme too."""
    for header in value.split(","):
        told = unquote(header.partition("=")[2]).strip()
        yield told
        yield told.rpartition(" ")[2]


def _tells(value: str) -> bool:
    """Whether a text is so much its own that wherever it stands the secret is meant."""
    return len(value) >= (MIN_WORD if _WORD.fullmatch(value) else MIN_FOUND) and not is_placeholder(value)


def _of_streamlit() -> Iterator[str]:
    for path in secrets_files():
        with suppress(OSError, ValueError):
            yield from _under_secret_names(tomllib.loads(path.read_text("utf-8")))


def _under_secret_names(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _under_secret_names(value)
        elif isinstance(value, str) and secret_key(name) is not None and _tells(value):
            yield value


def _parts(text: str) -> Iterator[str]:
    """The text, or its lines where it is long or has several: a traceback shows a key line by line."""
    if len(text) <= MAX_LENGTH:
        yield text
    if "\n" in text:
        yield from (line for line in map(str.strip, text.splitlines()) if len(line) >= MIN_WORD and "-----" not in line)


def _forms(text: str) -> Iterator[str]:
    """As it is, and as URLs, JSON, reprs and base64 write it."""
    data = text.encode("utf-8", "surrogatepass")
    yield text
    yield quote(data, safe="")
    yield quote(data)
    yield dumps(text)[1:-1]
    yield dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    if len(data) >= MIN_FOUND:
        yield b64encode(data).decode().rstrip("=")
        yield urlsafe_b64encode(data).decode().rstrip("=")
