"""The documentation tells the truth: whatever it must name is found in it, and what it shows runs.

`python tests/docs/test_docs.py` writes docs/settings.md anew.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from pydantic.fields import FieldInfo

from failtrace import contracts
from failtrace.cli.main import cli
from failtrace.contracts import Contract
from failtrace.detection.detectors import detectors
from failtrace.exchange.destinations import VARIABLES
from failtrace.mirror.views import InboxState, RelayStatus
from failtrace.settings import Settings
from failtrace.storage.cosmos.item import SUMMARY
from failtrace.storage.cosmos.provision import EACH_ITS_OWN, indexing_policy
from failtrace.subjects.scenarios import EXPECTED
from failtrace.subjects.subject import Subject

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md"), *ROOT.glob("benchmarks/*.md")]
)
SETTINGS_PAGE = """# Settings

Read from the environment when a command, the dashboard or a `TraceStore` starts. A value that cannot be used is one
sentence that names the variable, and exit 2. This table is generated from `failtrace/settings.py`.

{table}

[cosmos.md](cosmos.md) tells how to come to an account for the `COSMOS_*` variables, [tracing.md](tracing.md) which
variables of OpenTelemetry and Azure send spans elsewhere. OpenTelemetry's SDK, through which the steps come, reads its
own `OTEL_*` variables in the subject's process.
"""


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def settings_page() -> str:
    rows = "\n".join(_row(field) for field in Settings.model_fields.values())
    return SETTINGS_PAGE.format(table=f"| variable | default | meaning |\n|---|---|---|\n{rows}")


def _row(field: FieldInfo) -> str:
    default = f"`{field.default}`" if field.default not in (None, ()) else "unset"
    return f"| `{_variable(field)}` | {default} | {field.description} |"


def _variable(field: FieldInfo) -> str:
    return str(field.validation_alias.choices[0])  # type: ignore[union-attr]


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section {heading!r}"
    return found[1]


def missing(names: list[str], page: str) -> list[str]:
    return [name for name in names if f"`{name}`" not in page]


def _commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its whole name, those of a nested group included; a group alone does nothing."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


COMMANDS = dict(_commands(cli))


def test_settings_page_is_the_settings() -> None:
    """docs/settings.md says what the fields say; `python tests/docs/test_docs.py` writes it."""
    assert text("docs/settings.md") == settings_page()


@pytest.mark.parametrize(("name", "command"), COMMANDS.items(), ids=COMMANDS)
def test_every_command_and_option_is_described(name: str, command: click.Command) -> None:
    """docs/cli.md has a section for each command with each of its options, and the README names the command.

    What is hidden is between failtrace's own processes.
    """
    described = section(text("docs/cli.md"), f"`failtrace {name}`")
    shown = [it for it in command.params if isinstance(it, click.Option) and not it.hidden]
    options = [name for parameter in shown for name in parameter.opts]

    assert [option for option in options if not re.search(rf"^\| `{option}[ `]", described, re.MULTILINE)] == []
    assert f"`failtrace {name}" in text("README.md")
    assert command.help


def test_no_option_is_described_that_is_gone() -> None:
    """Each option in docs/cli.md belongs to the command in whose section it stands."""
    page = text("docs/cli.md")

    for name in re.findall(r"^## `failtrace (.+)`$", page, re.MULTILINE):
        known = {opt for parameter in COMMANDS[name].params for opt in parameter.opts}
        described = set(re.findall(r"^\| `(--[a-z-]+)", section(page, f"`failtrace {name}`"), re.MULTILINE))
        assert described <= known, name


def test_every_value_of_the_delivery_is_described() -> None:
    """docs/cli.md names each value that `failtrace sync --status --json` prints."""
    printed = [field.name for field in fields(RelayStatus)] + [f"sync_{field.name}" for field in fields(InboxState)]

    assert missing(printed, section(text("docs/cli.md"), "`failtrace sync`")) == []


def test_the_container_made_by_hand_is_ours() -> None:
    """docs/cosmos.md names each setting and indexed field, and its commands make what `cosmos provision` makes."""
    page = text("docs/cosmos.md")
    policy = re.search(r"--idx '(.*?)'", page, re.DOTALL)
    settings = [_variable(field) for field in Settings.model_fields.values()]

    assert policy is not None
    assert json.loads(policy[1]) == indexing_policy()
    assert f"--ttl {EACH_ITS_OWN}" in page
    assert missing([name for name in settings if name.startswith("COSMOS_")], page) == []
    assert missing(list(SUMMARY), page) == []


def test_every_variable_for_spans_is_described() -> None:
    """docs/tracing.md names each environment variable that makes spans go somewhere."""
    assert missing(list(VARIABLES), text("docs/tracing.md")) == []


def test_every_scenario_is_described_with_its_ending() -> None:
    """docs/subjects.md has a row for each scenario with its failure type and failing step."""
    page = text("docs/subjects.md")

    for name, expectations in EXPECTED.items():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{name}` |")), "")
        for expected in expectations:
            assert (expected.failure_type or "passed") in row, name
            assert expected.step is None or f"`{expected.step}`" in row, name


def test_every_detector_is_described() -> None:
    """docs/architecture.md names each built-in detector."""
    built_in = [detector.name for detector in detectors() if type(detector).__module__.startswith("failtrace.")]

    assert missing(built_in, section(text("docs/architecture.md"), "Detectors")) == []


def test_every_field_of_a_subject_is_described() -> None:
    """docs/subjects.md names each field of Subject."""
    assert missing(list(Subject.__dataclass_fields__), text("docs/subjects.md")) == []


SHAPES = [shape for shape in vars(contracts).values() if isinstance(shape, type) and issubclass(shape, Contract)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_field_of_a_record_is_described(shape: type[Contract]) -> None:
    """docs/records.md names each field of each stored shape."""
    assert missing(list(shape.model_fields), text("docs/records.md")) == []


def test_readme_example_runs_as_written(tmp_path: Path) -> None:
    """The first Python block of the README is five lines, and the command it prints opens the failure it tells of."""
    block = re.search(r"```python\n(.*?)```", text("README.md"), re.DOTALL)
    assert block is not None
    assert block[1].count("\n") == 5
    script = tmp_path / "example.py"
    script.write_text(block[1], "utf-8")

    printed = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    program, *arguments = shlex.split(printed)
    story = subprocess.run(
        [sys.executable, "-m", program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    assert "hallucination_flag" in story
    assert "“90 days”" in story
    assert "Returns: within 30 days." in story


def test_readme_modules_run_as_written(tmp_path: Path) -> None:
    """Its subject fails as the sentence beside it says, its watched function as the comment says; both are listed."""
    _, module, watched = re.findall(r"```python\n(.*?)```", text("README.md"), re.DOTALL)
    (tmp_path / "my_module.py").write_text(module, "utf-8")
    (tmp_path / "watched.py").write_text(watched, "utf-8")

    def python(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False)

    ran = python("-m", "failtrace", "run", "my_module:answer")
    ended = python("watched.py")
    listed = python("-m", "failtrace", "list").stdout

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ended.stderr.rstrip().endswith("KeyError: 'prices'")
    assert "No evidence supports '90 days'." in listed
    assert "__main__:handler" in listed


def test_make_targets_that_are_named_exist() -> None:
    """Every `make` command of README and CONTRIBUTING is a target of the Makefile."""
    named = set(re.findall(r"^make ([a-z]+)", text("README.md") + text("CONTRIBUTING.md"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))

    assert {"run", "test"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links and pictures of a page exist, and so do the files of the repository that it names in backticks."""
    content = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = [*re.findall(r"\]\(([^)\s]+)\)", content), *re.findall(r'(?:src|srcset)="([^"]+)"', content)]
    relative = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    named = re.findall(r"`((?:failtrace|tests|docs|examples|benchmarks)/[\w./-]+)`", content)

    broken = [link for link in relative if not (page.parent / link).exists()]
    assert broken + [name for name in named if not (ROOT / name).exists()] == []


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(settings_page(), "utf-8")
