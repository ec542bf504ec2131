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
from html import escape
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from failtrace.secrets.assignments import redact_assignments
from failtrace.secrets.judgement import is_mixed, is_opaque, is_stand_in
from failtrace.secrets.names import is_bare_name, named_secret

MIN_CONFIGURED = 4
"""Characters of the shortest configured secret; shorter ones stand in too many words."""
MIN_FOUND = 6
"""The same for the environment, where also a plain word of less than MIN_WORD letters says nothing."""
MIN_WORD = 12
MIN_IN_BASE64 = 7
"""Characters of the shortest piece of base64 that tells a secret which begins in the midst of it."""
MAX_PIECE = 4096
"""Characters. A longer secret is looked for in pieces: where a text is cut, only the piece under the cut is lost."""
JSON_LEVELS = 3
"""How deep JSON may stand in JSON: as a field of a request, logged as JSON, say."""

_WORDY = frozenset(["key:token", "key:pass", "key:pat"])
"""Doubtful names under which an environment holds what people chose, too: `SMTP_PASS=hunter22`."""
_SPACE = re.compile(r"\s")
_DIGIT = re.compile(r"[0-9]")

_WORD = re.compile(r"[A-Za-z]+|[0-9]+")
_PATH = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?[/\\][^:@=]*")
_JSON_FOR_HTML = str.maketrans({"&": r"\u0026", "<": r"\u003c", ">": r"\u003e"})
"""As Go writes it, and who puts JSON into a page."""
_ESCAPED_SLASH = str.maketrans({"/": r"\/"})
"""As PHP writes it."""
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_IN_URLS = (
    # Up to the last @ before the host, for a password may hold one, and a slash; a port with a path behind it is none.
    re.compile(r"://[^\s/:@\[]{0,128}:(?!\d*/)([^\s\"'<>]{1,512})@(?=[A-Za-z0-9_\[])"),
    re.compile(r"://([A-Za-z0-9_-]{20,128})@"),
    re.compile(r":([^\s/:@\[\]]{1,128})@(?:tcp|unix)\("),
)


def secrets_files() -> tuple[Path, ...]:
    """Where Streamlit looks for the login's configuration.

    Here, beside app.py, in the home, and where a variable or Streamlit's own configuration says.
    """
    folder = Path(".streamlit")
    package = Path(__file__).parents[1]
    folders = [folder, package.parent / folder, package / "dashboard" / folder]
    configs = [folder / "config.toml"]
    with suppress(RuntimeError):  # an account without a home
        folders.append(Path.home() / folder)
        configs.append(Path.home() / folder / "config.toml")
    named = os.environ.get("STREAMLIT_SECRETS_FILES", "")
    others = {named, *re.split(r"[\s,:;]+", named), *(file for config in configs for file in _files_named_in(config))}
    return (*(it / "secrets.toml" for it in folders), *map(Path, filter(None, others)))


def _files_named_in(config: Path) -> list[str]:
    """Its `[secrets] files = […]`, as far as it can be read."""
    section = _toml(config).get("secrets")
    files = section.get("files") if isinstance(section, dict) else None
    return [file for file in files if isinstance(file, str)] if isinstance(files, list) else []


def _toml(file: Path) -> dict[str, Any]:
    """What a file holds; nothing where there is none, or where it is no TOML: that is another's business."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def secret_texts(configured: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets that a process was given."""
    own = {text for text in (*configured, *_of_streamlit()) if len(text) >= MIN_CONFIGURED}
    found = {text for name, value in environment.items() for text in _of_variable(name, value)}
    parts = {part for text in own | found for part in (text, *_lines(text))}
    return tuple(sorted(part for part in parts if not is_stand_in(part) and not is_bare_name(part)))


def own_secrets(configured: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every form in which a secret of this process may stand in a text, without lone surrogates."""
    forms = {form for text in secret_texts(configured, environment) for form in _forms(text)}
    return tuple(sorted({piece for form in forms for piece in _pieces(form)}))


def _of_variable(name: str, value: str) -> Iterator[str]:
    """What of a variable is secret: all of it under the name of a secret; what stands in a URL under any."""
    yield from _inside(name, value)
    # A name that the user keeps is one that texts may show; what the process was given under it is a secret still.
    key = named_secret(name)
    is_path = _PATH.fullmatch(value) and not is_mixed(value)
    if key is None or is_path or not _tells(value):
        return
    if not key.doubtful or is_opaque(value) or (key.rule in _WORDY and _could_be_chosen(value)):
        yield value


def _could_be_chosen(value: str) -> bool:
    """Whether a text of which `_tells` is true could be a password that somebody made up."""
    return not _SPACE.search(value) and bool(_DIGIT.search(value) or len(value) >= MIN_WORD)


def _inside(name: str, value: str) -> Iterator[str]:
    """What of a value is secret under any name: in a URL, a connection string, headers."""
    in_urls = [secret for pattern in _IN_URLS for secret in pattern.findall(value)]
    for secret in (*in_urls, *_assigned(value), *(_headers(value) if "HEADERS" in name else ())):
        yield from (text for text in {secret, unquote(secret)} if _tells(text))


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
    return len(value) >= (MIN_WORD if _WORD.fullmatch(value) else MIN_FOUND) and not is_stand_in(value)


def _of_streamlit() -> Iterator[str]:
    for path in secrets_files():
        yield from _of_table(_toml(path))


def _of_table(table: Mapping[str, Any], *, secret: bool = False) -> Iterator[str]:
    """What is secret in it: by its name, or by that of a table or list around it, `[passwords]`, say."""
    for name, value in table.items():
        key = named_secret(name)
        under = secret or (key is not None and not key.doubtful)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _of_table(item, secret=under)
            elif isinstance(item, str):
                yield from _inside(name, item)
                if (under or key is not None) and _tells(item):
                    yield item


def _lines(text: str) -> Iterator[str]:
    """Its lines where it has several: a traceback shows a key line by line."""
    if "\n" in text:
        yield from (line for line in map(str.strip, text.splitlines()) if len(line) >= MIN_WORD and "-----" not in line)


def _forms(text: str) -> Iterator[str]:
    """As it is, and as URLs, JSON, reprs, HTML, quotes and base64 write it."""
    data = text.encode("utf-8", "surrogatepass")
    for told in (text, *_in_json(text), *_in_html(text), *_in_quotes(text)):
        yield _without_surrogates(told)
    for safe in ("", "/", "!'()*~"):  # the last is JavaScript's
        yield quote(data, safe=safe)
        yield _PERCENT.sub(_lower_case, quote(data, safe=safe))
    yield quote_plus(data)
    yield quote(quote(data, safe=""), safe="")
    for json in _one_level(text):
        yield from map(_without_surrogates, _in_html(json))
    for inner in (repr(text)[1:-1], *_one_level(text)):
        yield from map(_without_surrogates, (inner, repr(inner)[1:-1], *_one_level(inner)))
    yield repr(data)[2:-1]
    for told in _in_base64(data):
        yield from (told, quote(told, safe=""))


def _in_json(text: str) -> set[str]:
    """As a text in JSON, and in JSON that is a text in JSON, JSON_LEVELS in all."""
    plain = _one_level(text)
    level = {spelled for told in plain for spelled in (told, *map(told.translate, (_JSON_FOR_HTML, _ESCAPED_SLASH)))}
    found = set(level)
    for _ in range(JSON_LEVELS - 1):
        level = {deeper for told in level for deeper in _one_level(told)}
        found |= level
    return found


def _one_level(text: str) -> set[str]:
    return {dumps(text, ensure_ascii=only_ascii)[1:-1] for only_ascii in (True, False)}


def _in_html(text: str) -> Iterator[str]:
    html = escape(text)
    yield html
    for apostrophe, quotation in (("&#39;", "&#34;"), ("&#39;", "&quot;"), ("&apos;", "&quot;")):
        yield html.replace("&#x27;", apostrophe).replace("&quot;", quotation)
    plain = escape(text, quote=False)
    yield from (plain, plain.replace('"', "&quot;"))


def _in_quotes(text: str) -> Iterator[str]:
    """As CSV and SQL double their quotes, and as a shell ends, adds one and begins again."""
    yield text.replace('"', '""')
    yield from (text.replace(sign, 2 * sign) for sign in "$%")  # compose, INI
    for apostrophe in ("''", "'\"'\"'", "'\\''"):
        yield text.replace("'", apostrophe)


def _lower_case(match: re.Match[str]) -> str:
    return match.group().lower()


def _in_base64(data: bytes) -> Iterator[str]:
    """Its own characters of base64, wherever it begins in what was encoded: `user:secret`, say, is one text there."""
    for encode in (b64encode, urlsafe_b64encode):
        if len(data) >= MIN_FOUND:
            yield encode(data).decode().rstrip("=")
        for before in range(3):
            # A character has 6 bits: the first may hold some of what stands before, the last some of what follows.
            first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
            if last - first >= MIN_IN_BASE64:
                yield encode(bytes(before) + data)[first:last].decode()


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _pieces(form: str) -> Iterator[str]:
    for start in range(0, len(form), MAX_PIECE):
        piece = form[start : start + MAX_PIECE]
        yield piece if len(piece) >= min(MIN_WORD, len(form)) else form[-MAX_PIECE:]
