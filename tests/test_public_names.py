"""The public names, the weight of the import, and the direction of the layers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import failtrace

ROOT = Path(failtrace.__file__).parents[1]
PACKAGE = ROOT / "failtrace"

LAYERS = (
    {"errors", "guard", "contracts", "__init__"},
    {
        "codec",
        "login_seen",
        "operating_user",
        "secrets",
        "settings",
        "start_directory",
        "subjects",
        "version",
        "wording",
    },
    {"capture", "analysis", "mirror"},
    {"exchange", "tracing"},
    {"execution", "storage", "subjects.scenarios", "subjects.hostile"},
    {"detection"},
    {"delivery_facts", "inputs", "recover", "recorder", "run_report"},
    {"runner", "watching"},
    {"services"},
    {"health", "hostile", "hostile_result"},
    {"cli", "ui"},
    {"__main__"},
)


def module_name(path: Path) -> str:
    relative = path.relative_to(ROOT).with_suffix("")
    return ".".join(part for part in relative.parts if part != "__init__")


def imports_of(path: Path) -> set[str]:
    """Modules of failtrace imported by a file, those for type checkers left out."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("failtrace"):
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith("failtrace"))
    return found


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def layer(module: str) -> int:
    """The layer of a module; the most specific name counts."""
    parts = module.split(".")[1:] or ["__init__"]
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for number, names in enumerate(LAYERS):
            if name in names:
                return number
    raise AssertionError(f"{module} has no layer; give it one in LAYERS")


def test_all_is_what_can_be_imported() -> None:
    """Every name of `__all__` is there, sorted, and nothing else is public."""
    assert sorted(failtrace.__all__) == failtrace.__all__
    assert {name for name in failtrace.__all__ if getattr(failtrace, name, None) is None} == set()
    assert set(failtrace._HOMES) == set(failtrace.__all__)


@pytest.mark.parametrize("heavy", ["streamlit", "azure", "pandas", "sqlmodel", "sqlalchemy", "pydantic", "rich"])
def test_the_import_is_light(heavy: str) -> None:
    """`import failtrace` loads none of the heavy libraries; each comes with the first name that needs it."""
    code = f"import failtrace, sys; sys.exit({heavy!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_imports_point_down() -> None:
    """No module imports from a layer above its own; streamlit is imported by ui and pages alone."""
    wrong = [
        f"{module} imports {target}"
        for module, path in MODULES.items()
        for target in imports_of(path)
        if target in MODULES and layer(target) > layer(module)
    ]
    streamlit = [
        module
        for module, path in MODULES.items()
        if "import streamlit" in path.read_text() and not module.startswith("failtrace.ui")
    ]

    assert wrong == []
    assert streamlit == []


def test_no_module_imports_itself_by_a_detour() -> None:
    """The graph of modules has no cycle."""
    graph = {module: imports_of(path) & set(MODULES) - {module} for module, path in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail, module))
        if module in done:
            return
        for target in graph[module] - {"failtrace"}:
            visit(target, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())
