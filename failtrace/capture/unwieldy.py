"""Values whose text nobody could wait for: thirty levels of ten times the same list are thirty lines to write down, and
10^30 items to spell out. `str` of an exception that holds one, or of a log record, would only end with its process."""

import reprlib
from collections.abc import Iterator
from typing import Any

MAX_ITEMS = 20_000
"""Items of all levels together, a text counting as one for each 64 characters: more than any message has room for."""

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 6
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxdeque = 10
_CONTAINERS = frozenset(map(id, (list, tuple, dict, set, frozenset)))


def is_unwieldy(value: object) -> bool:
    """Whether `repr` of this container has more than MAX_ITEMS items to spell out. Runs no code of the value's."""
    if id(type(value)) not in _CONTAINERS:
        return False
    room = MAX_ITEMS
    levels = [(id(value), _items(value))]
    above = {id(value)}
    while levels:
        for item in levels[-1][1]:
            kind = type(item)
            room -= 1 + (len(item) >> 6 if kind is str or kind is bytes else 0)  # type: ignore[arg-type]
            if room < 0:
                return True
            # A cycle is spelled as `...`.
            if id(kind) in _CONTAINERS and id(item) not in above:
                levels.append((id(item), _items(item)))
                above.add(id(item))
                break
        else:
            above.discard(levels.pop()[0])
    return False


def short_repr(value: object) -> str:
    """The first items of the first levels. Runs the items' own `repr`, which may raise anything."""
    return _SHORT.repr(value)


def _items(container: Any) -> Iterator[object]:
    """A copy's items: another thread may change the container meanwhile."""
    if type(container) is dict:
        return iter([part for pair in tuple(container.items()) for part in pair])
    return iter(tuple(container))
