r"""How the sanitiser says what it changed: `{"$failtrace": kind, ...}`.

| kind | further fields |
|---|---|
| `bytes` | `size`; `base64` and `sha256`, or `text` where a secret was redacted; `kept` (bytes) where it was cut |
| `text` | `value`: lone surrogates written as `\udcff` |
| `float` | `value`: `nan`, `inf` or `-inf` |
| `int` | `value` (decimal), or `hex` beyond 600 digits: whole numbers beyond 2^53, which doubles cannot hold |
| `datetime` `date` `time` `timedelta` `decimal` `fraction` `complex` `uuid` `path` | `value`: its text |
| `enum` | `type`, `name`, `value` |
| `exception` | `type`, `message` |
| `set` `frozenset` `deque` `dict_keys` `dict_values` `dict_items` `array` | `items` (sets sorted by their JSON) |
| `dict` | `items`: pairs `[key, value]`, of a dict whose keys cannot be those of a JSON object (see below) |
| `object` | `type`, `repr` |
| `cycle` | `type`, `levels_up`: how far up the same object stands |
| `redacted` | `rule`, `type` |
| `cut` | `type` of what was cut and its `size` (characters, bytes, items; of an int, bits), then what was `kept`; |
|   | `sha256` of the whole where it held no secret; `type` `depth` says that nesting ended here |

A list that was cut ends with a `cut` marker. A dict that was cut carries one under its own key `$failtrace`: a
marker's `$failtrace` is a text, so the two cannot be confused. A user's dict with a key `$failtrace`, or with a key
that is no text, is longer than 256 characters, or holds surrogates or a secret, is written as `dict` pairs.
"""

from failtrace.contracts.base import Json

KEY = "$failtrace"


class Mark(dict[str, Json]):
    """A marker, or a dict that carries one: the sanitiser's own work, which it never takes for a user's dict."""

    __slots__ = ()


class Marks:
    """What the sanitiser did to the values of one execution."""

    __slots__ = ("bytes_cut", "values_redacted")

    def __init__(self) -> None:
        self.bytes_cut = 0
        self.values_redacted = 0


def mark(kind: str, **fields: Json) -> Mark:
    """A marker of this kind."""
    return Mark({KEY: kind, **fields})
