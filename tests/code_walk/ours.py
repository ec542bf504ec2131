"""Whether a text was written by us: it, and all it is put together of, stands in the code or is a number.

A parameter is ours where every caller hands over what is ours, and there is one; a function's answer, where all that it
returns is. What the walk cannot follow is not ours.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable

from code_walk.source import Bound, Function, Parameter, Source

_PARTS: dict[type[ast.expr], tuple[str, ...]] = {
    **dict.fromkeys((ast.Constant, ast.Compare, ast.Lambda), ()),
    **dict.fromkeys((ast.Tuple, ast.List, ast.Set), ("elts",)),
    **dict.fromkeys((ast.JoinedStr, ast.BoolOp), ("values",)),
    **dict.fromkeys((ast.Subscript, ast.Starred), ("value",)),
    **dict.fromkeys((ast.GeneratorExp, ast.ListComp), ("elt",)),
    ast.BinOp: ("left", "right"),
    ast.IfExp: ("body", "orelse"),
    ast.Dict: ("keys", "values"),
}
"""What of an expression decides over it."""
_NUMBERS = {"int", "float", "bool", "len", "sum", "round", "range", "abs", "divmod"}
_SAME_WORDS = {"tuple", "list", "sorted", "set", "dict", "zip", "enumerate", "min", "max", "reversed", "iter", "next"}
_OF_A_TABLE = {"get", "items", "values", "keys", "format", "join", "lower", "upper", "capitalize", "replace"}
_NUMBER_FORMAT = re.compile(r"\+?\d*,?(\.\d+)?[fgde%]|,(\.\d+)?")
"""Python itself refuses these for anything but a number."""
_CONSTRUCTS = ("sqlalchemy.",)


class Ours:
    """Looks texts up over all files."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = {source.module: source for source in sources}
        self._home: dict[Function, Source] = {}
        self._functions: dict[str, list[Function]] = defaultdict(list)
        self._callers: dict[str, list[tuple[Source, ast.Call]]] = defaultdict(list)
        self._handed_on: set[str] = set()
        self._asked: set[object] = set()
        for source in self._sources.values():
            for node in source.nodes:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    self._home[node] = source
                    self._functions[self._name(source, node)].append(node)
                elif isinstance(node, ast.Name | ast.Attribute) and not source.is_called(node):
                    self._handed_on.add(self._callee(source, node))
            for call in source.calls:
                self._callers[self._callee(source, call.func)].append((source, call))

    def are(self, source: Source, nodes: Iterable[ast.expr | None]) -> bool:
        return all(node is None or self.is_(source, node) for node in nodes)

    def is_(self, source: Source, node: ast.expr) -> bool:
        if isinstance(node, ast.FormattedValue):
            return _is_of_a_number(node.format_spec) or self.is_(source, node.value)
        if isinstance(node, ast.Name):
            return self._is_name(source, node)
        if isinstance(node, ast.Attribute):
            return self._is_imported(source.full(node))
        if isinstance(node, ast.Call):
            return self._is_answer(source, node)
        fields = _PARTS.get(type(node))
        return fields is not None and all(self.are(source, _listed(getattr(node, field))) for field in fields)

    def is_construct(self, source: Source, node: ast.expr) -> bool:
        """Made by SQLAlchemy, which composes SQL and binds values: `select(…).where(…)`, or typed as what it gives."""
        if isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
            if source.full(node.func if isinstance(node, ast.Call) else node).startswith(_CONSTRUCTS):
                return True
            if isinstance(node, ast.Call) and self._gives_construct(source, node):
                return True
            inner = node.func if isinstance(node, ast.Call) else node.value
            return self.is_construct(source, inner) if isinstance(inner, ast.expr) else False
        if isinstance(node, ast.IfExp):
            return self.is_construct(source, node.body) and self.is_construct(source, node.orelse)
        if not isinstance(node, ast.Name):
            return False
        if source.full(node).startswith(_CONSTRUCTS):
            return True
        home, bound = self._bound(source, node)
        return bool(bound) and all(self._is_construct_bound(home, it) for it in bound)

    def _is_construct_bound(self, source: Source, it: Bound) -> bool:
        if isinstance(it, Parameter):
            return self._is_typed(source, it.argument.annotation)
        if it is None or (key := ("construct", it)) in self._asked:
            return it is not None
        self._asked.add(key)
        try:
            return self.is_construct(source, it)
        finally:
            self._asked.discard(key)

    def _bound(self, source: Source, node: ast.Name) -> tuple[Source, list[Bound]]:
        """What a name stands for, and where that is written: another file's constant is looked up there."""
        if found := source.bound(node):
            return source, found
        module, _, name = source.imports.get(node.id, "").rpartition(".")
        home = self._sources.get(module)
        return (home, home.bound(ast.Name(name))) if home else (source, [])

    def _is_name(self, source: Source, node: ast.Name) -> bool:
        home, bound = self._bound(source, node)
        return bool(bound) and all(self._is_bound(home, it) for it in bound)

    def _is_imported(self, full: str) -> bool:
        module, _, name = full.rpartition(".")
        home = self._sources.get(module)
        return home is not None and self._is_name(home, ast.Name(name))

    def _is_bound(self, source: Source, it: Bound) -> bool:
        if it is None or it in self._asked:
            # Going round in a circle adds nothing that was not looked at.
            return it is not None
        self._asked.add(it)
        try:
            return self._is_handed_over(source, it) if isinstance(it, Parameter) else self.is_(source, it)
        finally:
            self._asked.discard(it)

    def _is_handed_over(self, source: Source, it: Parameter) -> bool:
        if self._is_number(source, it.argument.annotation):
            return True
        name = self._name(source, it.function)
        key = (name, it.argument.arg)
        if key in self._asked:
            return True
        self._asked.add(key)
        try:
            callers = self._callers[name]
            return (
                bool(callers)
                and name not in self._handed_on
                and all(self._gets_ours(caller, call, it) for caller, call in callers)
            )
        finally:
            self._asked.discard(key)

    def _gets_ours(self, caller: Source, call: ast.Call, it: Parameter) -> bool:
        arguments = it.function.args
        places = [*arguments.posonlyargs, *arguments.args]
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if None in given or any(isinstance(part, ast.Starred) for part in call.args):
            return False
        if it.argument.arg in given:
            return self.is_(caller, given[it.argument.arg])
        at = places.index(it.argument) - self._is_method(it.function) if it.argument in places else len(call.args)
        if at < len(call.args):
            return self.is_(caller, call.args[at])
        defaults = dict(zip(places[::-1], arguments.defaults[::-1], strict=False))
        defaults |= {
            arg: value for arg, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value
        }
        default = defaults.get(it.argument)
        return default is not None and self.is_(self._home[it.function], default)

    def _is_answer(self, source: Source, call: ast.Call) -> bool:
        full, last = source.full(call.func), source.full(call.func).rpartition(".")[2]
        if full in _NUMBERS:
            return True
        if full in _SAME_WORDS:
            return self.are(source, call.args)
        if isinstance(call.func, ast.Attribute) and last in _OF_A_TABLE and self.is_(source, call.func.value):
            # By which key something of ours is looked up says nothing of what is found.
            given = call.args[1:] if last == "get" else call.args
            return self.are(source, (*given, *(it.value for it in call.keywords)))
        functions = self._functions.get(self._callee(source, call.func), [])
        return bool(functions) and all(self._returns_ours(function) for function in functions)

    def _returns_ours(self, function: Function) -> bool:
        source = self._home[function]
        if function in self._asked or self._is_number(source, function.returns):
            return True
        self._asked.add(function)
        try:
            returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
            return bool(returned) and self.are(source, returned)
        finally:
            self._asked.discard(function)

    def _gives_construct(self, source: Source, call: ast.Call) -> bool:
        functions = self._functions.get(self._callee(source, call.func), [])
        return bool(functions) and all(self._returns_construct(it) for it in functions)

    def _returns_construct(self, function: Function) -> bool:
        source = self._home[function]
        returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
        return self._is_typed(source, function.returns) or (
            bool(returned) and all(self._is_construct_bound(source, it) for it in returned)
        )

    def _is_typed(self, source: Source, annotation: ast.expr | None) -> bool:
        """mypy holds the code to its annotations."""
        told = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        return told is not None and source.full(told).startswith(_CONSTRUCTS)

    def _is_number(self, source: Source, annotation: ast.expr | None) -> bool:
        return annotation is not None and source.full(annotation) in {"int", "float"}

    def _is_method(self, function: Function) -> bool:
        return isinstance(self._home[function].parents[function], ast.ClassDef)

    def _name(self, source: Source, function: Function) -> str:
        return f".{function.name}" if self._is_method(function) else f"{source.module}.{function.name}"

    def _callee(self, source: Source, func: ast.expr) -> str:
        """As `_name`: a method is known by its name alone."""
        full = source.full(func)
        if isinstance(func, ast.Name):
            return self._origin(full) if func.id in source.imports else f"{source.module}.{full}"
        return self._origin(full) if full.startswith("failtrace.") else f".{full.rpartition('.')[2]}"

    def _origin(self, full: str) -> str:
        """Where a function is written that a module of ours only hands on."""
        module, _, name = full.rpartition(".")
        home = self._sources.get(module)
        return home.imports.get(name, full) if home else full


def _is_of_a_number(spec: ast.expr | None) -> bool:
    words = spec.values[0] if isinstance(spec, ast.JoinedStr) and len(spec.values) == 1 else None
    return isinstance(words, ast.Constant) and bool(_NUMBER_FORMAT.fullmatch(str(words.value)))


def _listed(part: object) -> list[ast.expr | None]:
    return part if isinstance(part, list) else [part]  # type: ignore[list-item]
