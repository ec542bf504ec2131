"""Rules of one's own: what they add, what they keep, what a wrong one says, and that they reach every process."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failtrace import run_with_failure_detection
from failtrace.capture.own_rules_found import rules_found
from failtrace.capture.redaction import adopt, follow, gate, redact_text
from failtrace.capture.sanitiser import Marks, sanitise
from failtrace.errors import SettingsError
from failtrace.secrets.own_rules import UNREADABLE, OwnRules
from failtrace.settings import Settings

RULES = r"""
keys = ["iban", "customer ref"]

[patterns]
employee = 'EMP-[0-9]{6}'
order = 'order (?P<secret>[0-9]{8})'
whole = '^only this$'
street = '(?i)[a-zäöüß]+straße [0-9]+'

[keep]
keys = ["csrf", "session_token_budget", "iban_hint"]
values = ['AKIA[A-Z0-9]{16}', 'swordfish']
rules = ["twilio"]
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of rules, in force."""
    path = tmp_path / "redaction.toml"
    path.write_text(RULES)
    monkeypatch.setenv("FAILTRACE_REDACTION", str(path))
    # Without the environment's secrets: pytest tells there which text it tests.
    adopt(Settings.load().redaction or OwnRules(), dict(os.environ))
    return path


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("seen by EMP-123456 and EMP-654321", "seen by [redacted:employee] and [redacted:employee]"),
        ("order 12345678 is late", "order [redacted:order] is late"),
        ("iban: DE89370400440532013000", "iban: [redacted:key:iban]"),
        ("iban: DE89 3704 0044 0532 0130 00, then", "iban: [redacted:key:iban]"),
        ("iban: DE89 3704 0044; then", "iban: [redacted:key:iban]; then"),
        ('{"iban": "a\\"b secret", "n": 1}', '{"iban": "[redacted:key:iban]", "n": 1}'),
        (
            '{"a": "{\\"iban\\": \\"b c\\", \\"n\\": 1}"}',
            '{"a": "{\\"iban\\": \\"[redacted:key:iban]\\", \\"n\\": 1}"}',
        ),
        ("iban: Ada Lovelace Street\nnext", "iban: [redacted:key:iban]\nnext"),
        ("iban: 'it''s' x", "iban: '[redacted:key:iban]' x"),
        ("iban: O'Neil, Main Street", "iban: [redacted:key:iban]"),
        ("pay(iban=DE92, name=Ada)", "pay(iban=[redacted:key:iban], name=Ada)"),
        ("{'iban': [1, 2], 'n': [3]}", "{'iban': '[redacted:key:iban]', 'n': [3]}"),
        ('{"iban": 12, "n": {"a": 3}}', '{"iban": "[redacted:key:iban]", "n": {"a": 3}}'),
        ("a: 1\niban:\n  DE89\n  3704\nb: 2", "a: 1\niban:\n  [redacted:key:iban]\nb: 2"),
        ("  iban:\n  - DE89\n  - DE90\n  b: 2", "  iban:\n  [redacted:key:iban]\n  b: 2"),
        ("iban: |\n  one\n\n  two\nb: 2", "iban: |\n  [redacted:key:iban]\nb: 2"),
        ('{"log": "iban: Ada Lovelace", "n": 1}', '{"log": "iban: [redacted:key:iban]", "n": 1}'),
        ("iban: EMP-123456 Street", "iban: [redacted:key:iban]"),
        ("iban: gh" + "p_0123456789abcdef01234567 more", "iban: [redacted:key:iban]"),
        ("iban: ${IBAN}", "iban: ${IBAN}"),
        ("?iban=DE89&page=2", "?iban=[redacted:key:iban]&page=2"),
        (
            "customer_ref=abc customer ref: xy",
            "customer_ref=[redacted:key:customer_ref] customer ref: [redacted:key:customer_ref]",
        ),
        ("CUSTOMER-REF='a b c'", "CUSTOMER-REF='[redacted:key:customer_ref]'"),
        ("customer ref is none", "customer ref is none"),
        ('{"customerRef": "what ever"}', '{"customerRef": "[redacted:key:customer_ref]"}'),
        ("only this", "[redacted:whole]"),
        ("customerIban: DE1 23; rest", "customerIban: [redacted:key:iban]; rest"),
        ("iban_old=x1&n=2", "iban_old=[redacted:key:iban]&n=2"),
        ("caliban=x1, ibanez: x2", "caliban=x1, ibanez: x2"),
        ("iban_hint: 22 characters", "iban_hint: 22 characters"),
        ("not only this", "not only this"),
        ("wohnt Gartenstraße 12 in Köln", "wohnt [redacted:street] in Köln"),
        ("EMP-12", "EMP-12"),
        ("csrf=abcdef12345", "csrf=abcdef12345"),
        ("session_token_budget=abc123def", "session_token_budget=abc123def"),
        ("id AKIA" + "IOSFODNN7EXAMPLE", "id AKIA" + "IOSFODNN7EXAMPLE"),
        ("password=swordfish", "password=swordfish"),
        ("SK" + "0123456789abcdef" * 2, "SK" + "0123456789abcdef" * 2),
        ("password=hunter" + "22 by EMP-123456", "password=[redacted:key:password] by [redacted:employee]"),
    ],
)
@pytest.mark.usefixtures("own")
def test_text_is_redacted_by_own_rules_too(text: str, clean: str) -> None:
    """Names and expressions of one's own go, exceptions stay, and a second pass finds nothing."""
    assert redact_text(text)[0] == clean
    assert redact_text(clean) == (clean, 0)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("value", [123, 12345.5, "berlin/mitte/street", "Please leave it at the key holder", "x"])
def test_every_value_under_an_own_name_goes(value: object) -> None:
    """Numbers, places and sentences too; nothing, yes and no stay."""
    assert sanitise({"iban": value}, Marks())["iban"]["rule"] == "key:iban"  # type: ignore[index, call-overload]
    assert sanitise({"iban": None, "IBAN": False}, Marks()) == {"iban": None, "IBAN": False}


@pytest.mark.usefixtures("own")
def test_value_is_redacted_by_own_rules_too() -> None:
    """However small the value is, and whatever stands beside it."""
    marks = Marks()
    told = sanitise(
        {
            "iban": "x1",
            "csrf": "y2",
            "EMP-123456": 1,
            "n": ["a", "b", "c", "only this", "d"],
            "password": "swordfish",
        },
        marks,
    )

    assert json.loads(json.dumps(told)) == {
        "$failtrace": "dict",
        "items": [
            ["iban", {"$failtrace": "redacted", "rule": "key:iban", "type": "str"}],
            ["csrf", "y2"],
            ["[redacted:employee]", 1],
            ["n", ["a", "b", "c", "[redacted:whole]", "d"]],
            ["password", "swordfish"],
        ],
    }
    assert marks.values_redacted == 3
    assert sanitise({"iban": "x1"}, Marks()) != {"iban": "x1"}


@pytest.mark.usefixtures("own")
@given(st.lists(st.sampled_from(["EMP-123456", "only this", "[redacted:employee]", "iban=", " ", "DE1234567", "\n"])))
def test_redaction_by_own_rules_is_idempotent(parts: list[str]) -> None:
    """Whatever stands beside whatever."""
    once, _ = redact_text("".join(parts))

    assert redact_text(once) == (once, 0)


def test_rule_for_everything_leaves_markers_alone() -> None:
    """A rule that matches its own marker does not work for ever on it."""
    adopt(OwnRules(patterns=(("all", r"(?s).+"),)), {})

    assert redact_text("a\nb") == ("[redacted:all]", 1)
    assert redact_text("[redacted:all]") == ("[redacted:all]", 0)


def test_rules_reach_the_subject_in_its_process(own: Path) -> None:
    """The file may be gone, and the subject's process still knows what it said."""
    follow(Settings.load())

    def tell(employee: str) -> str:
        print(f"working for {employee}")
        raise ValueError(f"{employee} has no account")

    for change in (lambda: None, lambda: own.write_text(RULES.replace("EMP", "STAFF"))):
        change()
        who = "STAFF-123456" if "STAFF" in own.read_text() else "EMP-123456"
        failure, record = run_with_failure_detection(tell, who)

        assert failure is not None
        assert failure.message == "ValueError: [redacted:employee] has no account"
        assert who not in record.model_dump_json()
        assert record.logs.stdout.text == "working for [redacted:employee]\n"


def test_environment_that_changes_is_kept_up_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that `load_dotenv`, say, brings between two executions goes in the second, in a subject's own too."""

    def tell(texts: list[list[str]]) -> None:
        os.environ["OTHER_API_KEY"] = "".join(texts[1])
        raise ValueError(" and ".join("".join(text) for text in texts))

    told = []
    for value in ("", "blue.horse-1"):
        monkeypatch.setenv("SHOP_API_KEY", value)
        failure, _ = run_with_failure_detection(tell, [list("blue.horse-1"), list("green.cow-2")])
        told.append(failure and failure.message)

    assert told == [
        "ValueError: blue.horse-1 and [redacted:own_secret]",
        "ValueError: [redacted:own_secret] and [redacted:own_secret]",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[patterns]\na = '('", r"patterns\.a: '\(' is no expression of RE2 \(missing \)"),
        ("[patterns]\na = '(?=x)'", r"patterns\.a: .* is no expression of RE2 .* no look-around"),
        ("[patterns]\na = 'x*'", r"patterns\.a: 'x\*' matches an empty text"),
        ("[patterns]\na = 'x{5000}'", "is no expression of RE2"),
        ("[patterns]\nA-1 = 'x'", "'A-1' is no name for a rule"),
        ("[patterns]\ngithub = 'x'", "'github' is no name for a rule"),
        ("[patterns]\na = 5", r"patterns\.a: input should be a valid string"),
        ("[keep]\nrules = ['no_such']", "there is no rule 'no_such', but age_key, ai_key, "),
        ("[keep]\nvalues = ['[']", r"keep\.values: '\[' is no expression"),
        ("keys = ['ключ']", "'ключ' has no ASCII letter"),
        ("keys = 'iban'", "keys: input should be a valid list"),
        ("kyes = ['iban']", "kyes: extra inputs are not permitted"),
        ("keys = [", "Invalid value"),
        ("\xff", "'utf-8' codec"),
        ("#" * 300_000, "it has 300,000 bytes and may have 262,144"),
        (f"keys = {['k'] * 201}", "keys: list should have at most 200 items"),
    ],
)
def test_rule_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, why: str
) -> None:
    """It names the file, the place and what to do; and nothing is stored by fewer rules than were asked for."""
    path = tmp_path / "redaction.toml"
    path.write_bytes(content.encode("latin-1" if content == "\xff" else "utf-8"))
    monkeypatch.setenv("FAILTRACE_REDACTION", str(path))

    with pytest.raises(SettingsError, match=why) as raised:
        run_with_failure_detection(str, 1)
    sentence = str(raised.value)
    assert re.match(r"Cannot use the redaction rules in '.*redaction\.toml': ", sentence)
    assert sentence.endswith("; correct the file, or unset FAILTRACE_REDACTION.")


@pytest.mark.parametrize("path", ["no/such.toml", "."])
def test_file_that_cannot_be_read_is_a_sentence(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """It names the file and the setting."""
    monkeypatch.setenv("FAILTRACE_REDACTION", path)

    with pytest.raises(SettingsError, match=f"Cannot read the redaction rules '{Path(path).absolute()}' that FAILT"):
        Settings.load()


def test_a_hostile_file_of_rules_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device without an end, arrays in arrays."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "deep.toml").write_text("keys = " + "[" * 5000)
    for path in (tmp_path / "pipe", tmp_path / "deep.toml", Path("/dev/zero")):
        monkeypatch.setenv("FAILTRACE_REDACTION", str(path))
        with pytest.raises(SettingsError, match="the redaction rules"):
            Settings.load()


def test_where_nobody_can_be_asked_unreadable_rules_hide_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watched function's host is not touched, and nothing that the rules would hide is told."""
    import failtrace.capture.redaction as redaction

    monkeypatch.setenv("FAILTRACE_REDACTION", "no/such.toml")
    monkeypatch.setattr(redaction, "_adopted", None)

    assert redaction.redact_text("anything at all") == ("[redacted:rules_unreadable]", 1)
    assert redaction.redactor().rules == UNREADABLE


@given(
    st.builds(
        OwnRules,
        keys=st.lists(st.text(), max_size=3).map(tuple),
        patterns=st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
        keep_values=st.lists(st.text(), max_size=3).map(tuple),
        secrets=st.lists(st.text(), max_size=3).map(tuple),
    )
)
def test_rules_travel(rules: OwnRules) -> None:
    """Through JSON to another process, unchanged; and a repr tells no secret."""
    assert OwnRules.from_json(json.loads(json.dumps(rules.to_json()))) == rules
    assert "secrets" not in repr(rules)


@pytest.mark.parametrize(
    "unit", ["iban:", "iban: x", "iban: 'x", "iban='',", "iban=[", "iban:\n ", "iban=,a,b", "iban: a'b"]
)
@pytest.mark.usefixtures("own")
def test_hostile_repetition_of_an_own_key_is_linear(unit: str) -> None:
    """Within the time that pytest gives a test."""
    assert len(redact_text(unit * (200_000 // len(unit)))[0]) > 0


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*[^a]", "(.*)(.*)(.*)x"])
def test_hostile_expression_is_linear(pattern: str) -> None:
    """Expressions that send other engines back and forth end, within the time that pytest gives a test."""
    adopt(OwnRules(patterns=(("hostile", pattern),)), {})
    values: Any = "a" * 400_000

    assert len(redact_text(values)[0]) > 0
    assert gate()("b" * 100_000) in (True, False)


def test_another_wrong_setting_changes_no_rule(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a setting that cannot be used the user's rules still hold."""
    before = rules_found(os.environ)
    monkeypatch.setenv("FAILTRACE_RETENTION_DAYS", "no number")

    assert rules_found(os.environ) == before
    assert dict(before.patterns)["employee"] == "EMP-[0-9]{6}"


def test_the_sentence_about_unreadable_rules_can_be_read(tmp_path: Path) -> None:
    """It names the file and the variable, and goes by the built-in rules itself."""
    environment = {**os.environ, "FAILTRACE_REDACTION": str(tmp_path / ("password=hunter" + "2.toml"))}

    done = subprocess.run(
        [sys.executable, "-m", "failtrace", "list"], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.startswith("failtrace: Cannot read the redaction rules")
    assert "FAILTRACE_REDACTION" in done.stderr
    assert "hunter" + "2" not in done.stderr
