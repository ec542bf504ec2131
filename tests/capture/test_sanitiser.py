"""Anything at all becomes bounded, redacted JSON. Secrets are put together here, so that no scanner finds one."""

import base64
import collections
import datetime as dt
import decimal
import fractions
import functools
import hashlib
import json
import pathlib
import threading
import types
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, JsonValue, TypeAdapter
from support import hostile_values
from support.hostile_values import (
    ZOO,
    Account,
    Colour,
    Interrupts,
    Level,
    LiesAboutType,
    Login,
    Names,
    Profile,
    Size,
    Slotted,
    hostile_value,
    laughs,
    nested,
)
from support.secret_samples import TOKEN

from failtrace.capture.sanitiser import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_NODES,
    MAX_TEXT,
    CleanText,
    Marks,
    sanitise,
    sanitise_attributes,
    sanitise_text,
)

JSON = TypeAdapter(JsonValue, config=ConfigDict(allow_inf_nan=False, strict=True))
PASSWORD = "hunter" + "2-and-more"


def clean(value):
    """Sanitised, and held against all that every result must hold."""
    marks = Marks()
    result = sanitise(value, marks)
    encoded = json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
    assert json.loads(encoded) == result
    assert len(encoded) < 8 * MAX_BYTES
    assert JSON.validate_python(result) == result
    assert JSON.dump_json(result)
    again = Marks()
    assert sanitise(result, again) == result
    assert (again.bytes_cut, again.values_redacted) == (0, 0)
    return result


def redacted(rule, kind="str"):
    return {"$failtrace": "redacted", "rule": rule, "type": kind}


@pytest.mark.parametrize("name", ZOO)
def test_hostile_value_becomes_json(name):
    """No value of the zoo raises; each becomes JSON that pydantic takes and that a second pass leaves alone."""
    value = hostile_value(name)
    clean(value)
    clean({"inside": [value, "sibling"]})
    text = sanitise_text(value, Marks())

    assert len(text) <= MAX_TEXT
    assert text.encode()


SPELLINGS = [
    ("text", "text"),
    (1.5, 1.5),
    ((1, [2], (3,)), [1, [2], [3]]),
    (2**53, 2**53),
    (2**53 + 1, {"$failtrace": "int", "value": "9007199254740993"}),
    (-(2**60), {"$failtrace": "int", "value": str(-(2**60))}),
    (2**4000, {"$failtrace": "int", "hex": hex(2**4000)}),
    (float("-inf"), {"$failtrace": "float", "value": "-inf"}),
    ("a\udcff", {"$failtrace": "text", "value": "a\\udcff"}),
    (
        b"abc",
        {"$failtrace": "bytes", "size": 3, "base64": "YWJj", "sha256": hashlib.sha256(b"abc").hexdigest()},
    ),
    ({1: "a", "1": "b"}, {"$failtrace": "dict", "items": [[1, "a"], ["1", "b"]]}),
    ({"$failtrace": "cut"}, {"$failtrace": "dict", "items": [["$failtrace", "cut"]]}),
    ({Size.SMALL: Level.LOW}, {"small": 1}),
    ({3, 1, 2}, {"$failtrace": "set", "items": [1, 2, 3]}),
    (collections.deque([2, 1]), {"$failtrace": "deque", "items": [2, 1]}),
    (dt.date(2024, 2, 29), {"$failtrace": "date", "value": "2024-02-29"}),
    (
        dt.datetime(2024, 2, 29, 1, 2, tzinfo=dt.UTC),
        {"$failtrace": "datetime", "value": "2024-02-29T01:02:00+00:00"},
    ),
    (dt.timedelta(hours=1), {"$failtrace": "timedelta", "value": "1:00:00"}),
    (decimal.Decimal("1.10"), {"$failtrace": "decimal", "value": "1.10"}),
    (fractions.Fraction(1, 3), {"$failtrace": "fraction", "value": "1/3"}),
    (uuid.UUID(int=1), {"$failtrace": "uuid", "value": str(uuid.UUID(int=1))}),
    (pathlib.PurePosixPath("/a/b"), {"$failtrace": "path", "value": "/a/b"}),
    (
        Colour.RED,
        {"$failtrace": "enum", "type": f"{hostile_values.__name__}.Colour", "name": "RED", "value": [255, 0, 0]},
    ),
    (KeyError("k"), {"$failtrace": "exception", "type": "KeyError", "message": "'k'"}),
    (Names(["a"]), ["a"]),
    (types.SimpleNamespace(a=1), {"a": 1}),
    (len, {"$failtrace": "object", "type": "builtin_function_or_method", "repr": "<built-in function len>"}),
    (LiesAboutType(), {"$failtrace": "object", "type": f"{hostile_values.__name__}.LiesAboutType", "repr": None}),
    (Interrupts(), {"$failtrace": "object", "type": f"{hostile_values.__name__}.Interrupts", "repr": None}),
]


@pytest.mark.parametrize("index", range(len(SPELLINGS)))
def test_value_is_spelled(index):
    """Each type has one spelling, with the original type where JSON has no such type."""
    value, expected = SPELLINGS[index]
    result = clean(value)
    if isinstance(expected, dict) and expected.get("repr", "") is None:
        expected = expected | {"repr": result["repr"]}
        assert result["repr"]

    assert result == expected


def test_objects_become_their_fields():
    """Dataclasses, models and named tuples are read without calling them, and redacted by their fields' names."""
    assert clean(Account("bob", PASSWORD)) == {"name": "bob", "password": redacted("key:password"), "note": None}
    assert clean(Slotted("bob", "abc-123")) == {"name": "bob", "token": redacted("key:token")}
    assert clean(Login("bob", PASSWORD)) == {"user": "bob", "password": redacted("key:password")}
    assert clean(Profile(name="bob", api_key="abc", more=[1])) == {
        "name": "bob",
        "api_key": redacted("key:api_key"),
        "secret_note": redacted("type:secret", "pydantic.types.SecretStr"),
        "more": [1],
    }


def test_cycle_names_how_far_up():
    """A cycle is cut where it closes and says where it leads; the same object twice side by side is no cycle."""
    inner: dict[str, object] = {}
    outer = {"a": [inner], "b": inner}
    inner["up"] = outer

    assert clean(outer) == {
        "a": [{"up": {"$failtrace": "cycle", "type": "dict", "levels_up": 3}}],
        "b": {"up": {"$failtrace": "cycle", "type": "dict", "levels_up": 2}},
    }


def test_nesting_ends_at_its_limit():
    """A value as deep as the limit is whole; one level more is cut there."""
    assert clean(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    result = clean(nested(MAX_DEPTH + 1))
    for _ in range(MAX_DEPTH):
        (result,) = result

    assert result == {"$failtrace": "cut", "type": "depth", "size": 1, "kept": 0}


def test_odd_keys_do_not_deepen_the_json():
    """Dicts written as pairs count with the levels they really take, so that the JSON stays as shallow as promised."""
    value: object = "leaf"
    for _ in range(100):
        value = {1: value}
    text = json.dumps(clean(value))

    assert max(text[:end].count("[") + text[:end].count("{") for end in [text.index('"cut"')]) <= MAX_DEPTH + 3


def test_what_is_cut_is_counted():
    """A cut text says its size and hash and keeps its beginning; the tally counts the bytes that went."""
    text = "é" * (MAX_TEXT + 5)
    marks = Marks()

    assert sanitise(text, marks) == {
        "$failtrace": "cut",
        "type": "str",
        "size": MAX_TEXT + 5,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "kept": "é" * MAX_TEXT,
    }
    assert marks.bytes_cut == 10


def test_long_containers_keep_their_beginning():
    """A long list ends with a marker, a long dict carries one, and neither can be confused with the user's own."""
    rows = clean(list(range(MAX_ITEMS + 3)))
    table = clean({f"k{number}": number for number in range(MAX_ITEMS + 3)})

    assert rows[:-1] == list(range(MAX_ITEMS - 1))
    assert rows[-1] == {"$failtrace": "cut", "type": "list", "size": MAX_ITEMS + 3, "kept": MAX_ITEMS - 1}
    assert len(table) == MAX_ITEMS
    assert table["$failtrace"] == {"$failtrace": "cut", "type": "dict", "size": MAX_ITEMS + 3, "kept": MAX_ITEMS - 1}


def test_whole_value_is_bounded():
    """However a value is built, the number of its items and the bytes of its texts stay within their limits."""

    def count(value):
        if isinstance(value, list | dict):
            return 1 + sum(map(count, value.values() if isinstance(value, dict) else value))
        return 1

    assert count(clean(laughs())) < 6 * MAX_NODES
    texts = clean([f"{number}" + "x" * (MAX_TEXT - 10) for number in range(40)])
    assert MAX_BYTES // 2 < len(json.dumps(texts)) < MAX_BYTES + 100_000


def test_text_across_the_cut_hides_its_secret():
    """A secret that lies across the cut is dropped or redacted whole, at either end and wherever it starts."""
    for before in range(0, len(TOKEN) + 2, 3):
        text = "a " * 5_000
        head = text[: 10_000 - before] + TOKEN + text
        tail = text + TOKEN + text[: 10_000 - before]
        assert "gh" + "p_" not in sanitise_text(head, Marks(), 10_000)
        assert TOKEN[-6:] not in sanitise_text(tail, Marks(), 10_000, keep="end")
    marks = Marks()
    cut = sanitise(text[:2] * (MAX_TEXT // 2) + TOKEN, marks)

    assert TOKEN[:8] not in json.dumps(cut)


def test_text_keeps_the_end_that_is_asked_for():
    """Messages keep their start, tails their end; what went is said, and the limit holds with that note."""
    text = "first " + "x" * 5_000 + " last"
    start, end = sanitise_text(text, Marks(), 1_000), sanitise_text(text, Marks(), 1_000, keep="end")

    assert (start[:6], end[-5:]) == ("first ", " last")
    assert len(start) <= 1_000
    assert len(end) <= 1_000
    assert "[cut: 4051 characters]" in start
    assert "[cut: 4051 characters]" in end


SECRET_PLACES = {
    "value": lambda secret: f"use {secret} now",
    "deep": lambda secret: {"a": [{"b": (f"token {secret}",)}]},
    "key": lambda secret: {secret: 1},
    "under a name": lambda secret: {"password": secret},
    "container under a name": lambda secret: {"credentials": {"user": "bob", "value": [secret]}},
    "camel case": lambda secret: {"clientSecret": secret, "n": 1},
    "bytes": lambda secret: b"\xff\x00 " + secret.encode(),
    "bytes under a name": lambda secret: {"password": secret.encode()},
    "argv": lambda secret: ["curl", "--password", secret, "-v"],
    "header": lambda secret: [("Cookie", secret)],
    "asgi header": lambda secret: [(b"authorization", secret.encode())],
    "odd keys": lambda secret: {1: 2, "api_key": secret},
    "set": lambda secret: {f"Bearer {secret}"},
    "exception": lambda secret: ValueError(f"bad token={secret}"),
    "repr": lambda secret: functools.partial(print, f"password={secret}"),
    "enum of secrets": lambda secret: types.SimpleNamespace(auth_token=secret),
    "long text": lambda secret: f"{secret} " + "x" * (MAX_TEXT + 10),
    "json in a text": lambda secret: json.dumps({"apiKey": secret}),
    "not ascii": lambda secret: f"пароль {secret} é",
    "surrogates": lambda secret: f"\udcff {secret}",
}


@pytest.mark.parametrize("place", SECRET_PLACES.values(), ids=SECRET_PLACES.keys())
def test_secret_is_nowhere(place):
    """Wherever a secret stands, neither its text, its base64 nor its hash is left, and it is counted."""
    value = place(TOKEN)
    marks = Marks()
    encoded = json.dumps(sanitise(value, marks))

    assert TOKEN not in encoded
    assert base64.b64encode(TOKEN.encode()).decode()[4:40] not in encoded
    for whole in (TOKEN.encode(), value if type(value) is bytes else str(value).encode("utf-8", "surrogatepass")):
        assert hashlib.sha256(whole).hexdigest() not in encoded
    assert marks.values_redacted >= 1
    clean(value)


@pytest.mark.parametrize(
    "password",
    [
        "this is my secret pass" + "word 42",
        "the key to my heart 99",
        "!hunter" + "22",
        "@hunter" + "22",
        ":hunter" + "22",
        "$HUNTER" + "22",
        "[hunter" + "22]",
        "your-dog-rex" + "9",
        "hunter/two/three",
        "x",
    ],
)
def test_a_password_that_reads_like_something_else_goes(password):
    """A sentence, a reference, a path: its digit or its place says what it is."""
    assert clean({"password": password})["password"]["rule"] == "key:password"


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 100, "token_count": 5, "token": "Hello", "session": "morning", "authors": ["Ada"]},
        {"password": None, "secret": "", "api_key": "***", "credentials": {}, "token": 5, "auth": True},
        {"properties": {"password": {"type": "string", "description": "The user's password"}}},
        ["--password", "--host"],
        ["password", "email"],
        ["secret", "agent"],
        {"password": "must be at least 8 characters", "passphrase": "<passphrase>", "pwd": "${PASSWORD_2}"},
        {"password": "/run/secrets/db", "secret": "projects/shop/secrets/db"},
    ],
)
def test_harmless_value_stays(value):
    """Counts, schemas, placeholders and empty values under names of secrets are no secrets."""
    assert clean(value) == value


def test_attributes_are_redacted_inside_their_json():
    """A text attribute that is JSON is redacted by its keys and stays text; texts already clean pass untouched."""
    trusted = CleanText(f'{{"password": "{PASSWORD}"}}')
    plain = '{"max_tokens": 5,  "messages": []}'
    marks = Marks()
    attributes = {
        "tool.arguments": json.dumps({"user": "bob", "password": {"value": PASSWORD}}),
        "llm.parameters": plain,
        "input": trusted,
        "http.request.header.authorization": ("Bearer x",),
        "broken": '{"password": "hunter' + "2",
        "count": 3,
        "tags": ("a", "b"),
    }
    result = sanitise_attributes(attributes, marks)

    assert json.loads(result["tool.arguments"]) == {"user": "bob", "password": redacted("key:password", "dict")}
    assert result["llm.parameters"] == plain
    assert result["input"] is trusted
    assert result["http.request.header.authorization"] == redacted("key:authorization", "tuple")
    assert result["broken"] == '{"password": "[redacted:key:password]'
    assert (result["count"], result["tags"]) == (3, ["a", "b"])
    assert marks.values_redacted == 3


def test_clean_text_passes_only_as_itself():
    """The sanitiser trusts exactly its own type of clean text, not a subclass of it."""

    class Pretender(CleanText):
        pass

    assert sanitise(CleanText(TOKEN), Marks()) == TOKEN
    assert TOKEN not in sanitise(Pretender(TOKEN), Marks())
    assert TOKEN not in sanitise_text(Pretender(TOKEN), Marks())


def test_dict_that_changes_meanwhile():
    """A dict that another thread keeps changing is read all the same."""
    shared = {str(number): number for number in range(1_000)}
    stop = threading.Event()

    def change():
        while not stop.is_set():
            shared["extra"] = 1
            shared.pop("extra", None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(50):
            assert len(clean(shared)) >= 1_000
    finally:
        stop.set()
        thread.join()


def test_generator_is_not_consumed():
    """Looking at an iterator takes nothing from it."""
    iterator = iter([1, 2, 3])
    generator = (number for number in [1, 2, 3])
    clean([iterator, generator])

    assert (next(iterator), next(generator)) == (1, 1)


def test_deep_stack_is_survived():
    """With hardly any stack left the value is given up, not the subject."""

    def dive():
        try:
            return dive()
        except RecursionError:
            return sanitise({"a": [[[[[1]]]]]}, Marks())

    assert json.dumps(dive())


def test_interrupt_from_outside_passes():
    """A KeyboardInterrupt that reaches the host while a value is read is the host's."""

    class Attributes(dict):
        def items(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sanitise_attributes(Attributes(), Marks())


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes()
    | st.uuids()
    | st.complex_numbers()
    | st.sampled_from([TOKEN, "$failtrace", "password", "--token", f"password={PASSWORD}", Size.SMALL, Colour.RED])
)
KEYS = st.text(st.characters(exclude_categories=()), max_size=5) | ATOMS
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS, inner)
        | st.dictionaries(st.sampled_from(["a", "token", "$failtrace", "secret"]), inner)
        | st.lists(inner).map(collections.deque)
        | st.builds(Account, name=st.text(), password=st.text(), note=inner)
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_any_structure_becomes_json(value):
    """Whatever is built from Python's types becomes UTF-8 JSON that equals itself after the round trip."""
    assert TOKEN not in json.dumps(clean(value))


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("abc é"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc é"), inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON_VALUES)
def test_plain_json_is_unchanged(value):
    """What is JSON already, small and harmless, is kept as it is and nothing is counted."""
    marks = Marks()

    assert sanitise(value, marks) == value
    assert (marks.bytes_cut, marks.values_redacted) == (0, 0)
