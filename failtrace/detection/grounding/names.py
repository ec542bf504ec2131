"""Names in a text: capitalised words where a capital means a name, and codes such as `A320`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from failtrace.detection.grounding.dates import MONTHS, WEEKDAYS
from failtrace.detection.grounding.text import Sentence, fold, words
from failtrace.detection.grounding.vocabulary import NAME_CONNECTORS, NEVER_NAMES, STOPWORDS

_TOKEN = re.compile(r"[^\W_]+(?:[-'’&][^\W_]+)*")
_CODE = re.compile(r"(?<![\w-])[A-Z][A-Za-z]*-?\d[\w-]*")
_CHUNK = re.compile(r"\S+")
_AROUND = ".,;:!?()[]{}<>\"'“”‘’*"
_CONTRACTION = re.compile(r"['’](?:ll|re|ve|d|m|s|t)$")
_LABEL = re.compile(r"\s?\**\s?:")
_OPENERS = frozenset(":!?\"“”‘'(*•>|\n")
_GAP = re.compile(r"[\s.]{1,3}")
_TITLE_LEAST = 3
_ACRONYM_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Name:
    """A name and its words, folded, each as its parts (`Proto-Indo` has two).

    A word whose capital may come from its place in the sentence is not among them.
    """

    start: int
    end: int
    words: tuple[tuple[str, ...], ...]
    code: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    first: bool


def find_names(sentence: Sentence) -> list[Name]:
    """Names of one sentence, by position, with spans into the whole text. A headline or a shout has none."""
    text = _CHUNK.sub(_without_link, sentence.text)
    codes = [
        Name(sentence.start + code.start(), sentence.start + code.end(), (tuple(words(code.group())),), code=True)
        for code in _CODE.finditer(text)
    ]
    text = _CODE.sub(lambda code: " " * len(code.group()), text)
    tokens = list(_tokens(text))
    if _all_capitals(tokens):
        return codes
    runs = [run for run in _runs(tokens, text) if not _LABEL.match(text, run[-1].end)]
    names = [_name(run, sentence.start) for run in runs]
    return sorted([*codes, *(name for name in names if name)], key=lambda name: name.start)


def _without_link(chunk: re.Match[str]) -> str:
    """The chunk, or as many spaces where it is an address, a path, a file or an identifier."""
    inner = chunk.group().strip(_AROUND)
    letters = inner.replace(".", "")
    initials = len(letters) <= 4 and letters.isupper()
    is_link = any(mark in inner for mark in ("@", "\\", "_", "://", "`")) or inner.count("/") > 1
    return " " * len(chunk.group()) if is_link or ("." in inner and not initials) else chunk.group()


def _tokens(text: str) -> Iterator[_Token]:
    """The words, each with whether its capital may come from its place: after a list's number, a colon, a quote."""
    end = 0
    begun = False
    for match in _TOKEN.finditer(text):
        before = text[end : match.start()]
        # A full stop and a space inside a sentence belong to an abbreviation.
        first = not begun or before.endswith(".") or not _OPENERS.isdisjoint(before)
        yield _Token(_CONTRACTION.sub("", match.group()), match.start(), match.end(), first)
        end = match.end()
        begun = begun or not match.group().isdigit()


def _all_capitals(tokens: list[_Token]) -> bool:
    """A title, a heading or a shout: capitals carry no meaning there."""
    telling = [token.text for token in tokens if token.text[0].isalpha() and fold(token.text) not in STOPWORDS]
    return len(telling) >= _TITLE_LEAST and all(word[0].isupper() for word in telling)


def _runs(tokens: list[_Token], text: str) -> Iterator[list[_Token]]:
    """Stretches of capitalised tokens; a connector may stand between two of them."""
    run: list[_Token] = []
    held: list[_Token] = []
    for token in tokens:
        near = not run or _GAP.fullmatch(text, (held or run)[-1].end, token.start)
        if run and (not near or (token.first and not _is_initial((held or run)[-1]))):
            yield run
            run, held = [], []
        if _capital(token):
            run = [*run, *held, token]
            held = []
        elif run and token.text in NAME_CONNECTORS and len(held) < 2:
            held.append(token)
        elif run:
            yield run
            run, held = [], []
    if run:
        yield run


def _is_initial(token: _Token) -> bool:
    return len(token.text) <= 2


def _capital(token: _Token) -> bool:
    return token.text[0].isupper() or (len(token.text) > 2 and token.text[1:2].isupper())


def _name(run: list[_Token], offset: int) -> Name | None:
    while run and _ordinary(run[0]):
        run = run[1:]
    while run and (_ordinary(run[-1]) or run[-1].text in NAME_CONNECTORS):
        run = run[:-1]
    sure = [token for token in run if not token.first and token.text not in NAME_CONNECTORS]
    telling = tuple(tuple(words(token.text)) for token in sure if _tells(token))
    return Name(offset + run[0].start, offset + run[-1].end, telling) if telling else None


def _ordinary(token: _Token) -> bool:
    word = fold(token.text)
    return word in NEVER_NAMES or token.text.lower() in NEVER_NAMES or word in MONTHS or word in WEEKDAYS


def _tells(token: _Token) -> bool:
    word = fold(token.text)
    shouted = token.text.isupper() and len(token.text) > _ACRONYM_LENGTH
    return len(word) > 1 and not shouted and word not in NEVER_NAMES and not word[0].isdigit()
