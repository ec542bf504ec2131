"""Texts out of JSON values, sentences out of texts, and words in a form that can be compared."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from failtrace.contracts import Json
from failtrace.detection.grounding.vocabulary import ABBREVIATIONS, STOPWORDS

MARKER = "$failtrace"
"""Key of what the sanitiser puts in the place of a value it could not keep."""

_UNJUDGED_KEY = re.compile(
    r"(?:.*_)?(?:id|ids|uuid|index|offset|score|confidence|probability|version|timestamp|tokens|usage|latency|ms|url)",
    re.IGNORECASE,
)
_QUESTION_KEY = re.compile(
    r"(?:user_?|chat_?)?(?:question|query|prompt|context|messages?|input|instructions?|request|history|topic)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]{0,3}\s+|[\n\x00]+|;\s+")
_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"'s\b")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,8}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and where it stands in its text, in characters."""

    text: str
    start: int
    end: int


def output_text(output: Json) -> str:
    """The judged output text: what the spans of an UnsupportedClaim point into.

    A string is taken as it is. In a list or an object every string leaf is a line of its own and every number
    leaf a line `key: number` (the nearest key; a bare number where there is none), in the order of the value.
    Left out are values under keys that name bookkeeping (`id`, `score`, `confidence`, …), booleans, nulls and
    the sanitiser's markers.
    """
    if isinstance(output, str):
        return output
    return "\n".join(_leaves(output, "", judged=True))


def evidence_texts(output: Json) -> Iterator[str]:
    """What a step gave, as texts: string leaves, `key: number` for numbers, `key: n items` for lists."""
    return _leaves(output, "", judged=False)


def question_text(value: Json) -> str:
    """What the user said, out of a subject's input.

    The input if it is a string, else the leaves under keys such as `question`, `context` and `messages`: not the
    whole input, which may carry documents, and answers that would vouch for themselves.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(
            text
            for key, item in value.items()
            if _QUESTION_KEY.fullmatch(key)
            for text in _leaves(item, "", judged=False)
        )
    return ""


def sentences(text: str) -> list[Sentence]:
    """The sentences of `text`, in order; abbreviations and initials do not end one."""
    found: list[Sentence] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if _is_abbreviation(text, start, end):
            continue
        _append(found, text, start, end.end())
        start = end.end()
    _append(found, text, start, len(text))
    return found


def lowered(text: str) -> str:
    """`text` in small letters, of the same length, so that spans stay true (`İ` alone would grow)."""
    return text.replace("İ", "_").lower() if "İ" in text else text.lower()


def fold(text: str) -> str:
    """`text` without case, accents, possessives and apostrophes: `Beyoncé's` and `beyonce` are one."""
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).replace("’", "'")
    return _POSSESSIVE.sub("", text.lower()).replace("'", "")


def words(text: str) -> list[str]:
    """The words and numerals of `text`, folded; dotted letters (`U.S.`) are one word, `&` is `and`."""
    text = fold(text)
    if _DOTTED.search(text):
        text = _DOTTED.sub(lambda letters: letters.group().replace(".", ""), text)
    return _WORD.findall(text.replace("&", " and ") if "&" in text else text)


@lru_cache(maxsize=32768)
def stem(word: str) -> str:
    """A folded word without its commonest English endings, so that `closes`, `closed` and `closing` meet."""
    for ending, least in (("ies", 5), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4), ("ly", 5)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def content_words(text: str) -> frozenset[str]:
    """What a sentence is about: its words without stopwords, stemmed."""
    return content(words(text))


def content(found: Iterable[str]) -> frozenset[str]:
    """The content words among these folded words."""
    return frozenset(map(stem, set(found) - STOPWORDS))


def _leaves(value: Json, key: str, *, judged: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield f"{key}: {_number_text(value)}" if key else _number_text(value)
    elif isinstance(value, list):
        if not judged and len(value) > 1:
            yield f"{key}: {len(value)} items" if key else f"{len(value)} items"
        for item in value:
            yield from _leaves(item, key, judged=judged)
    elif isinstance(value, dict) and MARKER not in value:
        for name, item in value.items():
            if not (judged and _UNJUDGED_KEY.fullmatch(name)):
                yield from _leaves(item, name, judged=judged)


def _number_text(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.15g}"


def _is_abbreviation(text: str, start: int, end: re.Match[str]) -> bool:
    if text[end.start() : end.end()].rstrip(" ") != ".":
        return False
    before = text[max(start, end.start() - 20) : end.start()].rsplit(None, 1)
    word = before[-1].lstrip("(\"'“‘[") if before else ""
    return word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isupper() and word != "I")


def _append(found: list[Sentence], text: str, start: int, end: int) -> None:
    part = text[start:end]
    stripped = part.strip()
    if stripped:
        left = start + len(part) - len(part.lstrip())
        found.append(Sentence(stripped, left, left + len(stripped)))
