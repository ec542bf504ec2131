"""Values that cannot be written down as they are, or that raise when somebody looks at them: the input of tests."""

import array
import asyncio
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import sys
import threading
import types
from unittest.mock import MagicMock  # a value that answers every attribute: here it is the input, not a stand-in

from pydantic import BaseModel, ConfigDict, RootModel, SecretStr
from support.secret_samples import TOKEN

from failtrace.capture.value_limits import MAX_TEXT


class Raises:
    """Raises whatever it is given from every special method that a careless reader could call."""

    error: type[BaseException] = RuntimeError

    def _raise(self, *_args, **_kwargs):
        raise self.error("hostile")

    __repr__ = __str__ = __eq__ = __bool__ = __len__ = __iter__ = __getattr__ = __format__ = __index__ = _raise
    __hash__ = None


class HostileAttributes:
    def __getattribute__(self, name):
        raise SystemExit(name)


class HostileClass:
    @property
    def __class__(self):
        raise KeyboardInterrupt


class Interrupts(Raises):
    error = KeyboardInterrupt


class Exits:
    """Leaves by what is written in C, so that no code of its own is in the traceback."""

    __repr__ = __str__ = sys.exit


class GivesItsFrame:
    """Calls by its frame what raises, as a handler of a signal is called."""

    def __repr__(self):
        return self._told_of(sys._getframe())

    @staticmethod
    def _told_of(frame):
        raise ValueError(frame.f_lineno)


class Cancelled:
    """Its text is told by what was cancelled, in C."""

    def __repr__(self):
        loop = asyncio.new_event_loop()
        future = asyncio.Future(loop=loop)
        future.cancel()
        loop.close()
        return future.result()


class NoSuchLine(Exception):
    """Its text raises with a traceback that points at no instruction."""

    def __str__(self):
        frame = sys._getframe()
        raise ValueError.with_traceback(ValueError(), types.TracebackType(None, frame, 10**6, 1))


class HostileMeta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

    def __eq__(cls, other):
        raise RuntimeError

    def __hash__(cls):
        raise RuntimeError

    def __instancecheck__(cls, other):
        raise RuntimeError

    __mro__ = property(lambda cls: 1 / 0)


class FromHostileMeta(metaclass=HostileMeta):
    pass


class HostileDict(dict):
    __iter__ = __len__ = items = keys = values = __getitem__ = __contains__ = Raises._raise


class HostileList(list):
    __iter__ = __len__ = __getitem__ = __bool__ = Raises._raise


class HostileStr(str):
    __str__ = __repr__ = __len__ = __eq__ = __iter__ = encode = isascii = Raises._raise
    __hash__ = str.__hash__


class HostileInt(int):
    __int__ = __repr__ = __index__ = __eq__ = __lt__ = __le__ = bit_length = Raises._raise
    __hash__ = int.__hash__


class HostileZone(dt.tzinfo):
    utcoffset = Raises._raise


class LiesAboutType:
    __class__ = dict


class BrokenText(Exception):
    __str__ = __repr__ = Raises._raise


class Endless:
    def __repr__(self):
        return "x" * 50_000_000


class NotText:
    def __repr__(self):
        return 5


class Recursive:
    def __repr__(self):
        return repr(self)


class Colour(enum.Enum):
    RED = (255, 0, 0)


class Size(enum.StrEnum):
    SMALL = "small"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Account:
    name: str
    password: str
    note: object = None


@dataclasses.dataclass(slots=True)
class Slotted:
    name: str
    token: str


class Profile(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str
    api_key: str = ""
    secret_note: SecretStr = SecretStr("s")


class Names(RootModel[list[str]]):
    pass


Login = collections.namedtuple("Login", "user password")


def nested(depth, kind=list):
    value: object = "leaf"
    for _ in range(depth):
        value = [value] if kind is list else {"next": value}
    return value


def cyclic(kind):
    value = kind()
    value.append(value) if kind is list else value.update({"self": value})
    return value


def laughs():
    value: object = "ha"
    for _ in range(30):
        value = [value] * 10
    return value


def counting():
    yield from iter(int, 1)


def odd_type():
    return type("\u2028" * 10_000, (), {"__module__": Raises()})()


released = memoryview(b"abc")
released.release()

ZOO = {
    "cyclic list": cyclic(list),
    "cyclic dict": cyclic(dict),
    "nan": float("nan"),
    "infinities": [float("inf"), float("-inf")],
    "200 deep": nested(200),
    "200 deep dict": nested(200, dict),
    "100,000 deep": nested(100_000),
    "billion laughs": laughs(),
    "long text": lambda: "é" * 50_000_000,
    "long text with a secret": lambda: "a" * MAX_TEXT + TOKEN,
    "long bytes": lambda: b"\x00" * 50_000_000,
    "many texts": ["x" * 100_000] * 1_000,
    "long list": lambda: list(range(1_000_000)),
    "long dict": lambda: {str(number): number for number in range(100_000)},
    "long set": lambda: set(range(100_000)),
    "embedding": [0.1] * 1_536,
    "embedding with nan": [0.1] * 100 + [float("nan")],
    "5,000 digits": 10**5_000,
    "-5,000 digits": -(10**5_000),
    "a million bits": 1 << 1_000_000,
    "surrogates": "a\udcff\ud800b",
    "surrogate keys": {"\udcff": 1, "\\udcff": 2},
    "nul": "\x00\x01\x7f\u2028",
    "bytes": b"\xff\x00",
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abcdef")[::2],
    "released memoryview": released,
    "odd keys": {1: "a", "1": "b", None: "c", (1, 2): "d", 1.5: "e", b"x": "f", Size.SMALL: "g", float("nan"): "h"},
    "marker of the user": {"$failtrace": "redacted", "rule": "none"},
    "mock": MagicMock(),
    "mock in a dict": {"client": MagicMock(spec=dict), "n": [MagicMock(spec=BaseModel)]},
    "repr raises": Raises(),
    "repr interrupts": Interrupts(),
    "repr exits": Exits(),
    "repr gives its frame": GivesItsFrame(),
    "repr is cancelled": Cancelled(),
    "exception of no line": NoSuchLine(),
    "repr is no text": NotText(),
    "repr recurses": Recursive(),
    "repr is endless": Endless(),
    "every attribute raises": HostileAttributes(),
    "class raises": HostileClass(),
    "metaclass raises": FromHostileMeta(),
    "hostile type": FromHostileMeta,
    "type with an odd name": odd_type(),
    "lies about its type": LiesAboutType(),
    "hostile dict": HostileDict(a=1),
    "hostile list": HostileList([1]),
    "hostile text": HostileStr("abc"),
    "hostile text as a key": {HostileStr("abc"): 1},
    "hostile int": HostileInt(5),
    "hostile time zone": dt.datetime(2024, 1, 1, tzinfo=HostileZone()),
    "exception": ValueError("x"),
    "broken exception": BrokenText(),
    "exception group": ExceptionGroup("g", [ValueError("x")]),
    "generator": counting(),
    "coroutine-like": (number for number in [1]),
    "module": sys,
    "function": nested,
    "lambda": lambda: None,
    "class": Raises,
    "builtin": len,
    "lock": threading.Lock(),
    "thread": threading.current_thread(),
    "file": sys.__stderr__,
    "ellipsis": ...,
    "not implemented": NotImplemented,
    "range": range(10**30),
    "namespace": types.SimpleNamespace(a=1),
    "frame": sys._getframe(),
    "mapping proxy": types.MappingProxyType({"a": 1}),
    "dict views": [{"a": 1}.keys(), {"a": 1}.values(), {"a": 1}.items()],
    "deque": collections.deque([1, 2]),
    "array": array.array("d", [1.5]),
    "counter": collections.Counter("aab"),
    "chain map": collections.ChainMap({"a": 1}),
    "complex": 1j,
    "decimal": decimal.Decimal("sNaN"),
    "path": pathlib.Path("/tmp/\udcff"),
}
"""Long ones are made when they are asked for."""


def hostile_value(name):
    """The value of this name."""
    return ZOO[name]() if name.startswith("long") else ZOO[name]
