"""A user's own names of secrets inside texts: what stands after one goes, whatever it looks like.

The built-in names ask whether a value reads like a secret; a user who names `iban` means every value.
"""

import re
from collections.abc import Callable, Sequence

from failtrace.secrets.judgement import is_placeholder
from failtrace.secrets.names import words_of

_BARE = r"""[^\s,;"'<>(){}\[\]]"""
_VALUE = rf"""(?:"(?P<double>[^"\n]{{1,4096}})"|'(?P<single>[^'\n]{{1,4096}})'
    |(?P<bare>{_BARE}{{1,256}}(?:[ ]{_BARE}{{0,64}}[0-9]{_BARE}{{0,64}}){{0,16}}))"""
"""Bare, it goes on over words with digits: `DE89 3704 0044`."""


def own_key_pattern(keys: Sequence[str]) -> re.Pattern[str] | None:
    """Finds an assignment to one of these names, however it is spelled; None where there are none."""
    if not keys:
        return None
    names = "|".join("[ _.-]?".join(words_of(key)) for key in sorted(keys, key=len, reverse=True))
    separator = r"""["'`]?[\])]?[ \t]{0,4}(?::=|=>|={1,2}|:)[ \t]{0,40}"""
    return re.compile(rf"(?<![A-Za-z0-9])(?P<key>{names}){separator}{_VALUE}", re.VERBOSE | re.IGNORECASE)


def redact_own_keys(text: str, pattern: re.Pattern[str], kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each value that is not `kept` replaced by `[redacted:key:…]`, and how many there were."""
    count = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal count
        group = next(name for name in ("double", "single", "bare") if match[name] is not None)
        value = match[group]
        if is_placeholder(value) or "[redacted:" in value or kept(value):
            return match.group()
        count += 1
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        marker = f"[redacted:key:{'_'.join(words_of(match['key']))}]"
        return f"{match.group()[:start]}{marker}{match.group()[end:]}"

    return pattern.sub(replaced, text), count
