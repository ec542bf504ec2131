"""Walks the project's own code for what must not stand in it; each exception has a reason.

The rules, a table of what breaks them, and how a name is followed are in `code_walk/`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from code_walk.ours import Ours
from code_walk.rules import IMPORT_PATH, RULES
from code_walk.samples import ALLOWED, FORBIDDEN
from code_walk.source import Source

ROOT = Path(__file__).parents[1]
CODE = sorted(
    [
        ROOT / "app.py",
        *[file for name in ("failtrace", "pages", "benchmarks", "examples") for file in (ROOT / name).rglob("*.py")],
    ]
)
ASSETS = sorted(file for kind in ("js", "css", "svg", "html") for file in (ROOT / "failtrace").rglob(f"*.{kind}"))

EXCEPTIONS = {
    ("failtrace/execution/payload.py", "objects from bytes"): (
        4,
        "closures and lambdas reach their process by cloudpickle: the bytes come from the process that started it, "
        "through a socket pair that nobody else holds",
    ),
    ("failtrace/detection/run.py", "composed SQL"): (1, "executes a subject, no statement"),
    ("failtrace/mirror/migrations.py", "composed SQL"): (1, "PRAGMA takes no parameter; the value is our own number"),
    ("failtrace/mirror/salvage.py", "composed SQL"): (2, "statements of its own constants, their values bound"),
    ("failtrace/mirror/selection.py", "composed SQL"): (2, "names of our own columns, from our own tables"),
    ("failtrace/mirror/statement.py", "composed SQL"): (1, "what SQLAlchemy compiled, its values bound"),
    ("failtrace/ui/bootstrap.py", "markup"): (4, "titles, icons and pictures of our own pages, and links to them"),
    ("failtrace/ui/compare/choice.py", "markup"): (
        1,
        "options of a selectbox, which shows them as text: a type, an age",
    ),
    ("failtrace/ui/components.py", "markup"): (1, "the constant frame of a component, scripts and styles of our files"),
    ("failtrace/ui/run/comparison.py", "markup"): (
        1,
        "options of a selectbox, which shows them as text: what ran, when",
    ),
    ("failtrace/ui/compare/view.py", "markup"): (2, "which of six parts differ, and what they are, in our own words"),
    ("failtrace/ui/failure/step_view.py", "markup"): (1, "names of our own fields"),
    ("failtrace/ui/failures/filters.py", "markup"): (
        2,
        "a time zone this machine knows; our titles of types of failure",
    ),
    ("failtrace/ui/heading.py", "markup"): (1, "our own five time ranges"),
    ("failtrace/ui/health/hostile.py", "markup"): (1, "how many hostile subjects have ended, of how many"),
    ("failtrace/ui/health/view.py", "markup"): (1, "the name of a check of ours"),
    ("failtrace/ui/overview/view.py", "markup"): (3, "our own labels with numbers, `hour` or `day`"),
    ("failtrace/ui/run/form.py", "markup"): (1, "why there is nothing to run, in sentences of ours with numbers"),
    ("failtrace/ui/values.py", "markup"): (1, "why there is no value, in words of ours"),
    ("pages/failures.py", "markup"): (1, "three numbers"),
    ("failtrace/cli/export.py", "files of an import"): (1, "`failtrace export`: the file that its user names"),
    ("failtrace/ui/run/files.py", "files of an import"): (
        7,
        "FAILTRACE_HOME/runs, under an id that we made; what holds a secret in a file without a name",
    ),
}
"""Where a rule may be met, how often, and why."""

_IN_A_PAGE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTMLUnsafe|createContextualFragment|DOMParser|srcdoc"
    r"|\beval\s*\(|new\s+Function\b|set(?:Timeout|Interval)\s*\(\s*['\"`]|javascript:|<script|@import|https?://(?!www\.w3\.org/)"
)


def offences(sources: Iterable[Source]) -> Counter[tuple[str, str]]:
    """How often each rule is met in each file."""
    read = list(sources)
    ours = Ours(read)
    return Counter((it.path, rule) for it in read for rule, met in RULES.items() for _ in met(it, ours))


def offences_of(sample: str) -> set[str]:
    """The rules that a few lines break, in a file that every rule looks at."""
    return {rule for _, rule in offences([Source(IMPORT_PATH[0], sample)])}


def test_no_code_does_what_it_must_not() -> None:
    """Every rule over every file; an exception that is no longer met has to go, one that is met more often is new."""
    assert len(CODE) > 200
    assert all((ROOT / path).is_file() for path in IMPORT_PATH)

    found = offences(Source(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")) for file in CODE)

    assert dict(found) == {place: met for place, (met, _) in EXCEPTIONS.items()}
    print(
        f"\ncode walk: {len(RULES) + 1} rules over {len(CODE) + len(ASSETS)} files, {len(EXCEPTIONS)} named exceptions"
    )


def test_no_asset_makes_markup_or_code_of_a_text() -> None:
    """What a subject wrote is set by textContent; nothing is asked of another host."""
    assert any(file.suffix == ".js" for file in ASSETS)

    found = {file.name: _IN_A_PAGE.findall(file.read_text(encoding="utf-8")) for file in ASSETS}

    assert {name: met for name, met in found.items() if met} == {}


@pytest.mark.parametrize(("rule", "sample"), [(rule, it) for rule, samples in FORBIDDEN.items() for it in samples])
def test_every_rule_can_be_broken(rule: str, sample: str) -> None:
    """A rule that nothing could break would prove nothing."""
    assert rule in offences_of(sample)


@pytest.mark.parametrize("sample", ALLOWED)
def test_what_is_harmless_breaks_no_rule(sample: str) -> None:
    """A rule that anything breaks would be switched off."""
    assert offences_of(sample) == set()


@pytest.mark.parametrize(
    "sample",
    [
        "cell.innerHTML = text;",
        "cell.insertAdjacentHTML('beforeend', text)",
        "eval(text)",
        "new Function(text)",
        "setTimeout('draw()', 9)",
        "@import url(x.css)",
        "fetch('https://203.0.113.7/')",
    ],
)
def test_the_rule_of_the_assets_can_be_broken(sample: str) -> None:
    """One line of each kind."""
    assert _IN_A_PAGE.search(sample)
