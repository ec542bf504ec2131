"""The walk over one value: JSON's own types here and fast, all others by `sanitiser_foreign`, within fixed budgets."""

import math
from collections.abc import Iterable
from itertools import islice, repeat, zip_longest
from operator import is_
from time import monotonic
from typing import Any, Literal, TypeVar

from failtrace.capture.clean_text import CleanText, byte_length, clean_text, size_and_hash, valid_text
from failtrace.capture.foreign_values import mro_of, type_name
from failtrace.capture.interrupts import came_from_handler
from failtrace.capture.markers import KEY, Mark, Marks, mark
from failtrace.capture.redaction import is_kept, look_closer, redact_text, redactor
from failtrace.capture.sanitiser_foreign import foreign
from failtrace.capture.secret_values import (
    VALUES,
    holds_secret,
    in_words_of_command,
    is_login,
    named_value,
    names_next,
    names_secret,
)
from failtrace.capture.value_limits import (
    MAX_BYTES,
    MAX_DECIMAL_BITS,
    MAX_DEPTH,
    MAX_EXACT_INT,
    MAX_INT_BITS,
    MAX_ITEMS,
    MAX_NODES,
    MAX_SECONDS,
    MAX_TEXT,
)
from failtrace.contracts.base import Json
from failtrace.secrets.names import MAX_KEY, SecretKey, secret_key
from failtrace.secrets.own_rules import cached_by_rules

_T = TypeVar("_T")
_LONG = 4096
"""Characters from which a text is worth a look at the clock."""
SHORT_INT = 10**11
"""Smaller ones have fewer digits than what counts as a secret of the process's own."""
_MANY = 3
"""Texts from which one scan of all is cheaper than one of each."""
_VECTOR = 16
"""Floats from which a list is taken for an embedding and checked at C speed."""


class Walk:
    """One value's budgets and tally. `value` is the entry; depth counts levels of the JSON written."""

    __slots__ = ("_could_hold_secret", "_deadline", "_nodes", "_path", "_room", "_shortest", "_together", "marks")

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self._nodes = MAX_NODES
        self._room = MAX_BYTES
        self._deadline = monotonic() + MAX_SECONDS
        self._path: dict[int, int] = {}
        rules = redactor()
        self._could_hold_secret, self._shortest, self._together = rules.gate, rules.shortest, not rules.anchored

    def value(self, value: Any, depth: int) -> Json:
        """Any value, as JSON."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if value is None or kind is bool:
            return value  # type: ignore[no-any-return]
        if kind is int:
            return value if -SHORT_INT < value < SHORT_INT else self._long_int(value)
        if kind is float:
            return value if math.isfinite(value) else mark("float", value=repr(value))
        if kind is dict:
            return self.mapping(value.items(), len(value), value, depth)
        if kind is list or kind is tuple:
            return self.array(value, len(value), value, depth)
        if kind is Mark or kind is CleanText:
            return value  # type: ignore[no-any-return]
        try:
            return foreign(self, value, depth)
        except Exception as error:  # whatever a hostile object does, its siblings are kept
            if came_from_handler(error):
                raise
            return mark("object", type=type_name(kind), repr=f"<could not be read: {type_name(type(error))}>")

    def text(self, text: str) -> Json:
        """A text without secrets and surrogates, cut where it is too long."""
        size = len(text)
        if size > MAX_TEXT or size > self._room or (size > _LONG and self._is_late()):
            return self._long_text(text)
        self._room -= size
        if not text.isascii():
            return self._unicode(text)
        if size < self._shortest or not self._could_hold_secret(text):
            return text
        clean, count = look_closer(text)
        self.marks.values_redacted += count
        return clean

    def array(
        self, items: Iterable[object], size: int, owner: object, depth: int, key: SecretKey | None = None
    ) -> Json:
        """The items of `owner` as a list; `key` is the doubtful key above them, if any."""
        if (refused := self._enter(owner, size, depth)) is not None:
            return refused
        taken = self._take(items, size)
        if key is not None:
            kept = [self._under(key, item, depth + 1) for item in taken]
        elif taken and (type(taken[0]) is str or type(taken[0]) is bytes):
            kept = self._named_by_neighbour(taken, depth + 1)
        elif len(taken) >= _VECTOR and _are_finite_floats(taken):
            kept = taken  # type: ignore[assignment]
        else:
            kept = [self.value(item, depth + 1) for item in taken]
        del self._path[id(owner)]
        if len(taken) < size:
            kept.append(self._cut_items("list", size, len(taken)))
        return kept

    def mapping(self, items: Iterable[tuple[Any, object]], size: int, owner: object, depth: int) -> Json:
        """The pairs of `owner` as an object, or as `dict` pairs where its keys cannot be those of an object."""
        if (refused := self._enter(owner, size, depth)) is not None:
            return refused
        taken = self._take(items, size)
        secrets: list[SecretKey | None] = []
        for key, _ in taken:
            if type(key) is not str or len(key) > MAX_KEY or (secret := judge_key(key)) is False:
                result = self._odd_keys(taken, size, depth)
                break
            secrets.append(secret)
        else:
            result = self._plain_keys(taken, secrets, size, depth)
        del self._path[id(owner)]
        return result

    def room_for(self, size: int) -> int:
        """Takes up to `size` bytes from the budget of texts; returns how many there were."""
        granted = max(0, min(size, self._room))
        self._room -= granted
        return granted

    def _plain_keys(
        self, taken: list[tuple[Any, object]], secrets: list[SecretKey | None], size: int, depth: int
    ) -> dict[str, Json]:
        depth += 1
        out: dict[str, Json] = {}
        harmless = self._are_harmless([item for _, item in taken])
        told = dict(taken) if any(key in VALUES for key, _ in taken) else {}
        if told and (named := named_value(told)):
            secrets = [named[1] if key == named[0] else secret for (key, _), secret in zip(taken, secrets, strict=True)]
        for (key, item), secret in zip(taken, secrets, strict=True):
            if secret is not None:
                out[key] = self._under(secret, item, depth)
            else:
                out[key] = item if harmless and type(item) is str else self.value(item, depth)
        self._room -= sum(map(len, out))
        if len(taken) < size:
            out[KEY] = self._cut_items("dict", size, len(taken))
            return Mark(out)
        return out

    def _odd_keys(self, taken: list[tuple[Any, object]], size: int, depth: int) -> dict[str, Json]:
        """Keys that are texts of a subclass become texts; any other odd key turns the dict into pairs."""
        plain = [(str.__str__(key) if _is_text(key) else key, item) for key, item in taken]
        secrets = [judge_key(key) if type(key) is str and len(key) <= MAX_KEY else False for key, _ in plain]
        fit = [secret for secret in secrets if secret is not False]
        if len(fit) == len(plain) and len({key for key, _ in plain}) == len(plain):
            return self._plain_keys(plain, fit, size, depth)
        pairs: list[Json] = []
        for key, item in plain:
            secret = names_secret(key)
            value = self.value(item, depth + 3) if secret is None else self._under(secret, item, depth + 3)
            pairs.append([self.value(key, depth + 3), value])
        if len(taken) < size:
            pairs.append(self._cut_items("dict", size, len(taken)))
        return mark("dict", items=pairs)

    def _under(self, key: SecretKey, item: Any, depth: int) -> Json:
        """A value whose key is the name of a secret."""
        kind = type(item)
        if key.rule == "key:auth" and (kind is list or kind is tuple) and is_login(item):
            return [self.value(item[0], depth + 1), self._under(key._replace(doubtful=False), item[1], depth + 1)]
        if key.doubtful and (kind is list or kind is tuple):
            return self.array(item, len(item), item, depth, key)
        if key.doubtful and kind is dict and any(holds_secret(key, item.get(name)) for name in VALUES):
            key = key._replace(doubtful=False)
        if not holds_secret(key, item) or (kind is str and is_kept(item)):
            return self.value(item, depth)
        self.marks.values_redacted += 1
        return mark("redacted", rule=key.rule, type=type_name(kind))

    def _named_by_neighbour(self, taken: list[object], depth: int) -> list[Json]:
        """Items of which one may name the next: `["--password", "x"]`, or a header `("Cookie", "x")`."""
        kept: list[Json] = []
        named: SecretKey | None = None
        harmless = self._are_harmless(taken)
        is_pair = len(taken) == 2
        words = in_words_of_command(taken)
        for index, (item, following) in enumerate(zip_longest(taken, taken[1:])):
            if named is not None:
                kept.append(self._under(named, item, depth))
            elif index in words:
                self.marks.values_redacted += 1
                kept.append(f"{str(item)[: words[index]]}[redacted:flag_password]")
            else:
                kept.append(item if harmless and type(item) is str else self.value(item, depth))
            named = names_next(item, following, is_pair=is_pair)
        return kept

    def _are_harmless(self, items: list[object]) -> bool:
        """Whether all short texts among the items can stay as they are: one scan instead of one for each."""
        texts = [item for item in items if type(item) is str]
        if len(texts) < _MANY or not self._together:
            return False
        joined = "\n".join(texts)
        size = len(joined)
        if size > _LONG or size > self._room or not joined.isascii() or self._could_hold_secret(joined):
            return False
        self._room -= size
        return True

    def _enter(self, owner: object, size: int, depth: int) -> Mark | None:
        """Whether a container may be opened; if not, what stands in its place."""
        above = self._path.get(id(owner))
        if above is not None:
            return mark("cycle", type=type_name(type(owner)), levels_up=depth - above)
        if depth >= MAX_DEPTH:
            return self._cut_items("depth", size, 0)
        if self._room <= 0 or self._nodes <= 0 or self._is_late():
            return self._cut_items(type_name(type(owner)), size, 0)
        self._path[id(owner)] = depth
        return None

    def _take(self, items: Iterable[_T], size: int) -> list[_T]:
        """The items that may be kept. Where that is not all, one place is left for the marker that says so."""
        limit = min(MAX_ITEMS, self._nodes)
        self._nodes -= min(size, limit)
        limit -= size > limit
        for _ in range(3):
            try:
                return list(islice(items, limit))
            except RuntimeError:
                continue  # changed by another thread while being read
        return []

    def _cut_items(self, kind: str, size: int, kept: int) -> Mark:
        self.marks.bytes_cut += 8 * (size - kept)  # at least the pointers; what they led to was never read
        return mark("cut", type=kind, size=size, kept=kept)

    def _is_late(self) -> bool:
        if monotonic() > self._deadline:
            self._nodes = self._room = 0
            return True
        return False

    def _unicode(self, text: str) -> Json:
        valid = valid_text(text)
        self._room -= byte_length(valid) - len(text)
        clean, count = redact_text(valid)
        self.marks.values_redacted += count
        return clean if valid is text else mark("text", value=clean)

    def _long_text(self, text: str) -> Mark:
        room = self.room_for(MAX_TEXT)
        if room == 0:
            self.marks.bytes_cut += len(text)
            return mark("cut", type="str", size=len(text), kept="")
        kept, count = clean_text(text, room)
        size, digest = size_and_hash(text)
        self.marks.values_redacted += count
        self.marks.bytes_cut += max(0, size - byte_length(kept))
        hashed: dict[str, Json] = {"sha256": digest} if digest and not count else {}
        return mark("cut", type="str", size=len(text), **hashed, kept=kept)

    def _long_int(self, value: int) -> Json:
        """A number with so many digits that it may be a secret of the process's own."""
        if value.bit_length() <= MAX_DECIMAL_BITS and redact_text(str(value))[1]:
            self.marks.values_redacted += 1
            return mark("redacted", rule="own_secret", type="int")
        return value if -MAX_EXACT_INT <= value <= MAX_EXACT_INT else self._big_int(value)

    def _big_int(self, value: int) -> Mark:
        bits = value.bit_length()
        if bits <= MAX_DECIMAL_BITS:
            return mark("int", value=str(value))
        if bits <= MAX_INT_BITS:
            return mark("int", hex=hex(value))
        self.marks.bytes_cut += (bits - MAX_INT_BITS) // 8
        leading = hex(abs(value) >> (bits - MAX_INT_BITS))
        return mark("cut", type="int", size=bits, kept=leading if value > 0 else f"-{leading}")


def _are_finite_floats(items: list[Any]) -> bool:
    return all(map(is_, map(type, items), repeat(float))) and all(map(math.isfinite, items))


def _is_text(key: object) -> bool:
    return any(base is str for base in mro_of(type(key)))


@cached_by_rules(4096)
def judge_key(key: str) -> SecretKey | Literal[False] | None:
    """False where the text cannot be the key of a JSON object as it is; else why it is the name of a secret, if so."""
    if key == KEY or valid_text(key) is not key or redact_text(key)[1]:
        return False
    return secret_key(key)
