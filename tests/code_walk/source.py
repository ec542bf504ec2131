"""The project's files as trees in which a name can be followed: through imports, to what it was bound to."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef
_GROWS = {"append", "extend", "insert", "add", "update", "setdefault", "appendleft"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, eq=False)
class Parameter:
    """A name that is whatever the callers hand over."""

    function: Function
    argument: ast.arg


Bound = ast.expr | Parameter | None
"""What a name stands for; None is something that nobody can tell."""


class Source:
    """One file."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported name means, wherever in the file it is imported."""
        found = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return found

    @cached_property
    def calls(self) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    def modules(self) -> Iterator[tuple[ast.AST, str]]:
        """Every module that is imported, by a statement or by a call, and every `module.name`."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and self.full(node.func).rpartition(".")[2] in {
                "import_module",
                "__import__",
            }:
                given = node.args[0] if node.args else None
                yield node, str(given.value) if isinstance(given, ast.Constant) else ""

    def full(self, node: ast.AST) -> str:
        """`module.name` of a name, an attribute or a `getattr`, its imports followed; what is not known is `?`."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id).removeprefix("builtins.")
        if isinstance(node, ast.Attribute):
            return f"{self.full(node.value)}.{node.attr}".removeprefix("builtins.")
        if isinstance(node, ast.Call) and self.full(node.func) == "getattr" and len(node.args) > 1:
            name = node.args[1]
            found = name.value if isinstance(name, ast.Constant) else "?"
            return f"{self.full(node.args[0])}.{found}".removeprefix("builtins.")
        return "?"

    def is_called(self, node: ast.AST) -> bool:
        """Whether a mention of a function is a call of it, and not a hand-over to somebody else."""
        parent = self.parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def bound(self, name: ast.Name) -> list[Bound]:
        """All that the name was bound to, in the nearest function that binds it, else in the file."""
        node: ast.AST = name
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, _SCOPES) and (found := _bound_in(node, name.id)):
                return found
        return _bound_in(self.tree, name.id, whole=False)


def _bound_in(scope: ast.AST, name: str, *, whole: bool = True) -> list[Bound]:
    nodes = ast.walk(scope) if whole else _outside_functions(scope)
    found = [value for node in nodes for value in _bindings(node, name)]
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = scope.args
        plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        found += [Parameter(scope, it) for it in plain if it.arg == name]
        found += [None for it in (arguments.vararg, arguments.kwarg) if it is not None and it.arg == name]
    elif isinstance(scope, ast.Lambda):
        found += [None for it in ast.walk(scope.args) if isinstance(it, ast.arg) and it.arg == name]
    return found


def _outside_functions(scope: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, _SCOPES):
            yield node
            yield from _outside_functions(node)


def _bindings(node: ast.AST, name: str) -> Iterator[Bound]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _matched(target, node.value, name)
            if isinstance(target, ast.Subscript):
                yield from _matched(target.value, node.value, name)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
        yield from _matched(node.target, node.value, name)
    elif isinstance(node, ast.For | ast.comprehension):
        for row in _rows(node.iter):
            yield from _matched(node.target, row, name)
    elif isinstance(node, ast.Call):
        yield from _added(node, name)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield from (None for it in ast.walk(node.optional_vars) if isinstance(it, ast.Name) and it.id == name)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name == name:
        yield None


def _added(call: ast.Call, name: str) -> Iterator[ast.expr]:
    """What a list or a table of that name is given later."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in _GROWS:
        for given in (*call.args, *(it.value for it in call.keywords)):
            yield from _matched(call.func.value, given, name)


def _rows(looped: ast.expr) -> list[ast.expr]:
    """What a loop takes one by one, as far as it is written there; columns for a `zip`."""
    if isinstance(looped, ast.Tuple | ast.List):
        return looped.elts
    if isinstance(looped, ast.Call) and isinstance(looped.func, ast.Name) and looped.func.id == "zip":
        return [ast.Tuple(looped.args)]
    return [looped]


def _matched(target: ast.AST, value: ast.expr, name: str) -> Iterator[ast.expr]:
    """The part of `value` that goes to `name`; where it cannot be told apart, all of it."""
    if isinstance(target, ast.Name):
        if target.id == name:
            yield value
    elif isinstance(target, ast.Tuple | ast.List):
        alike = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        for at, part in enumerate(target.elts):
            yield from _matched(part, value.elts[at] if alike else value, name)  # type: ignore[attr-defined]
    elif isinstance(target, ast.Starred):
        yield from _matched(target.value, value, name)
