"""Sentences out of texts, and words in a form that can be compared."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from failtrace.detection.grounding.vocabulary import ABBREVIATIONS, STOPWORDS

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
    return _WORD.findall(text.replace(" & ", " and ").replace("&", "") if "&" in text else text)


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
