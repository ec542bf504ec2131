"""Registering, finding and loading subjects; every way it can go wrong is one sentence."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import zoo

from failtrace import Subject, subject
from failtrace.errors import SubjectError
from failtrace.subjects.loading import resolve_subject
from failtrace.subjects.registry import REGISTRY, Registry
from failtrace.subjects.subject import source_of


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path; what is imported from it is forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_the_decorator_gives_the_callable_back() -> None:
    """A decorated function is the same object, is registered under its name, and knows its options."""

    def plain(value: int) -> int:
        """Adds one."""
        return value + 1

    decorated = subject(name="plain one", timeout=2, output_model=int, example_inputs=[1])(plain)
    registered = REGISTRY.get("plain one")

    assert decorated is plain
    assert registered is not None
    assert resolve_subject(plain) is resolve_subject("plain one") is registered
    assert (registered.timeout, registered.example_inputs, registered.description) == (2, (1,), "Adds one.")


def test_the_bare_decorator_names_a_subject_for_its_function() -> None:
    """Without options the name is the qualified name."""

    @subject
    def bare(_: Any) -> None: ...

    name = "test_the_bare_decorator_names_a_subject_for_its_function.<locals>.bare"
    assert resolve_subject(bare).name == name


@pytest.mark.parametrize(
    ("function", "source"),
    [
        (zoo.double, "support.zoo:double"),
        (zoo.double_by_object, "support.zoo:Multiplier"),
        (zoo.double_by_partial, "builtins:pow"),
    ],
    ids=["function", "object", "partial"],
)
def test_source_of_a_callable(function: Any, source: str) -> None:
    """The source leads to the code, through partials and to an object's class."""
    assert source_of(function) == source


def test_an_unregistered_callable_is_named_for_its_source() -> None:
    """So that two functions called `main` are two subjects."""
    assert resolve_subject(zoo.double).name == "support.zoo:double"
    assert resolve_subject("support.zoo:Multiplier.__call__").source == "support.zoo:Multiplier.__call__"


@pytest.mark.parametrize(
    ("code", "target", "sentence"),
    [
        (None, "nobody", "No subject is registered as 'nobody'"),
        (None, "no_such_module:answer", "no module named 'no_such_module'"),
        ("", "m1:answer", "the module 'm1' has no 'answer'"),
        ("answer = 42", "m2:answer", "it is a int, not a callable"),
        ("1 / 0", "m3:answer", "importing 'm3' raised ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "m4:answer", "importing 'm4' raised SystemExit: 3"),
        ("import no_such_dependency", "m5:answer", "no module named 'no_such_dependency'; install it"),
        (None, 42, "Cannot run int 42"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_loaded_is_one_sentence(modules: Path, code: str | None, target: Any, sentence: str) -> None:
    """Whatever is wrong with a name or its module, SubjectError says it in one line."""
    if code is not None:
        (modules / f"{target.partition(':')[0]}.py").write_text(code)

    with pytest.raises(SubjectError) as raised:
        resolve_subject(target)

    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("timeout", [-1, 0, float("nan"), float("inf"), "2", True, 1e12], ids=repr)
def test_a_timeout_that_cannot_be_is_refused(timeout: Any) -> None:
    """A timeout is a finite number of seconds above zero."""
    with pytest.raises(SubjectError, match=r"timeout of 'support\.zoo:double'"):
        replace(resolve_subject(zoo.double), timeout=timeout)


def test_a_name_belongs_to_one_subject() -> None:
    """Another callable under a taken name is refused; the same one again replaces."""
    registry = Registry()
    first = replace(resolve_subject(zoo.double), name="taken")
    registry.add(first)
    registry.add(replace(first, timeout=5))

    with pytest.raises(SubjectError, match=r"'support\.zoo:double' has that name"):
        registry.add(replace(resolve_subject(zoo.complain), name="taken"))
    assert [known.timeout for known in registry.subjects()] == [5]


def test_a_module_that_fails_on_import_is_a_problem_not_an_error(modules: Path) -> None:
    """The other modules' subjects are there, and the problem is a sentence that goes when it is mended."""
    (modules / "fine.py").write_text("from failtrace import subject\n@subject(name='from fine')\ndef f(_): return 1\n")
    (modules / "broken.py").write_text("raise RuntimeError('half written')")
    registry = Registry()

    registry.load(["broken", "fine"])

    assert resolve_subject("from fine").source == "fine:f"
    assert registry.problems == (
        "FAILTRACE_SUBJECTS names 'broken', which cannot be imported (RuntimeError: half written); "
        "mend the module or the name.",
    )
    (modules / "broken.py").write_text("")
    registry.load(["broken"])
    assert registry.problems == ()


def test_the_entry_point_brings_the_scenarios() -> None:
    """The installed package's own entry point is loaded with everybody else's."""
    registry = Registry()

    registry.load([])

    agent = resolve_subject("agent_that_answers")
    assert agent.source == "failtrace.subjects.scenarios.agents:agent_that_answers"


def test_a_subject_can_be_built_by_hand() -> None:
    """Subject is public: a callable that takes no attributes can still be one."""
    made = Subject(name="by hand", function=len, source="builtins:len")

    assert resolve_subject(made) is made
    with pytest.raises(SubjectError, match="takes no attributes"):
        subject(name="len")(len)
