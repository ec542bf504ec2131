"""What must not stand in the code: a function a rule, which gives the places where it is met."""

import ast
from collections.abc import Callable, Iterator

from code_walk.ours import Ours
from code_walk.source import Source

Rule = Callable[[Source, Ours], Iterator[ast.AST]]

_LOADERS = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
_LOADERS_BY_NAME = {"ForkingPickler", "read_pickle", "to_pickle", "Unpickler", "allow_pickle"}
_CONNECTIONS = ("multiprocessing.connection", "multiprocessing.managers")
"""What they receive they unpickle."""
_CODE = {"eval", "exec", "compile", "__import__", "runpy.run_path", "runpy.run_module", "code.interact", "__builtins__"}
_CODE_CALLS = {"InteractiveInterpreter", "InteractiveConsole", "runsource", "runcode"}
_CODE_MODULES = {"codeop", "timeit", "jinja2", "mako"}
"""Of the standard library and of templates, which hold expressions."""
_RUNS_EXPRESSIONS = {"eval", "query"}
"""Of pandas: without an argument they are somebody else's."""
_RUNS_SQL = {"execute", "executemany", "executescript", "exec_driver_sql", "read_sql", "read_sql_query"}
_SQL_PIECES = {
    **dict.fromkeys(("prefix_with", "suffix_with", "with_statement_hint"), slice(None)),
    **dict.fromkeys(("op", "bool_op", "custom_op", "quoted_name"), slice(0, 1)),
    "with_hint": slice(1, None),
}
"""What SQLAlchemy writes into a statement as it is, and in which arguments."""
_SQL_TEXTS = {"text", "literal_column", "TextClause", "column", "table", "DDL"}
_SHELLS = {
    *(f"os.{name}" for name in ("system", "popen", "popen2", "popen3", "popen4", "startfile")),
    *(f"subprocess.{name}" for name in ("getoutput", "getstatusoutput")),
    "asyncio.create_subprocess_shell",
    "asyncio.subprocess.create_subprocess_shell",
    "pty.spawn",
}
_SHELL_NAMES = {"sh", "bash", "dash", "zsh", "ksh", "csh", "fish", "cmd", "cmd.exe", "powershell", "pwsh"}
_HTML = {"unsafe_allow_html", "unsafe_allow_javascript"}
_HTML_CALLS = {"html", "iframe", "ImageColumn", "LinkColumn"}
_PICTURES = {"UrlData", "Url", "UrlValue", "Href", "HrefValue"}
"""Of Altair: what a page fetches, or leads to."""
_ELEMENTS = """
    markdown write write_stream caption error warning info success toast title header subheader badge button latex tabs
    expander popover checkbox toggle form_submit_button download_button file_uploader selectbox multiselect text_input
    text_area number_input slider select_slider date_input time_input data_editor spinner status camera_input
    audio_input color_picker video audio echo dialog feedback menu_button chat_input help
    table page_link logo
"""
_COLUMN_TYPES = """
    Column TextColumn NumberColumn CheckboxColumn SelectboxColumn MultiselectColumn DatetimeColumn DateColumn TimeColumn
    ListColumn JsonColumn ProgressColumn LineChartColumn AreaChartColumn BarChartColumn
"""
_COLUMNS = frozenset(_COLUMN_TYPES.split())
_SHOWN = {
    **dict.fromkeys(_ELEMENTS.split(), slice(0, 1)),
    **dict.fromkeys(("image", "link_button", "radio", "pills", "segmented_control", "vega_lite_chart"), slice(0, 2)),
    "metric": slice(0, 3),
    "progress": slice(1, 2),
    "set_page_config": slice(0, 2),
}
"""Elements of Streamlit that read Markdown or fetch what they are given, and which of their arguments they show."""
_SHOWN_BY_NAME = {"label", "body", "help", "caption", "captions", "text", "title", "delta", "page", "page_icon", "icon"}
_SHOWN_BY_NAME |= {"icon_image", "image", "link", "data", "spec", "format_func"}
_FORMAT = 3
"""Where elements with options take a function that says how each is shown."""
_NOT_SHOWN = ("logging.", "click.", "_log.", "altair.", "failtrace.")
_FILES = {
    "unlink",
    "rename",
    "rmdir",
    "mkdir",
    "makedirs",
    "touch",
    "remove",
    "symlink_to",
    "hardlink_to",
    "symlink",
    "link",
}
_FILES |= {"write_text", "write_bytes", "chmod", "truncate", "removedirs", "renames", "mknod", "mkfifo"}
_OPENS = {"open", "fdopen", "GzipFile", "BZ2File", "LZMAFile", "ZipFile", "TarFile"}
IMPORT_PATH = ("failtrace/exchange/archive.py", "failtrace/cli/export.py", "failtrace/ui/run/files.py")
"""What reads a file that somebody else wrote, or is given one by a page."""


def _named(source: Source, node: ast.AST) -> str:
    """The full name of a mention: a name or attribute that is read, a getattr."""
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        return source.full(node)
    return source.full(node) if isinstance(node, ast.Call) and source.full(node.func) == "getattr" else ""


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def hides_names(source: Source, _: Ours) -> Iterator[ast.AST]:
    """`from x import *`: the other rules could not tell what a name means."""
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield node


def loads_objects(source: Source, _: Ours) -> Iterator[ast.AST]:
    """Bytes that become any object when they are read can run any code."""
    for node, module in source.modules():
        is_loader = module.split(".")[0] in _LOADERS or _last(module) in _LOADERS_BY_NAME | _LOADERS
        if is_loader or module.startswith(_CONNECTIONS):
            yield node
    for node in source.nodes:
        by_name = _last(_named(source, node)) in _LOADERS_BY_NAME and not isinstance(node, ast.Name)
        called = isinstance(node, ast.Call) and source.full(node.func).split(".")[0] in _LOADERS
        asked = isinstance(node, ast.keyword) and node.arg in _LOADERS_BY_NAME
        spelled = isinstance(node, ast.Constant) and node.value == "allow_pickle"
        if by_name or called or asked or spelled or _receives(source, node):
            yield node


def _receives(source: Source, node: ast.AST) -> bool:
    """A loader as another module has it, or a connection that unpickles: a socket is told how much to receive."""
    name = _named(source, node)
    if isinstance(node, ast.Attribute | ast.Call) and (_last(name) in _LOADERS or name.startswith(_CONNECTIONS)):
        return "." in name
    return isinstance(node, ast.Call) and _last(source.full(node.func)) == "recv" and not (node.args or node.keywords)


def runs_text(source: Source, ours: Ours) -> Iterator[ast.AST]:
    """Any mention: who hands the function over calls it elsewhere."""
    for node, module in source.modules():
        if module.split(".")[0] in _CODE_MODULES:
            yield node
    for node in source.nodes:
        name = _named(source, node)
        by_name = _last(name) in _CODE_CALLS or (name.split(".")[0] in _CODE_MODULES and "." in name)
        if name in _CODE or by_name or _is_builtins(source, node) or _runs_expression(source, ours, node):
            yield node


def _is_builtins(source: Source, node: ast.AST) -> bool:
    """The module as a whole, handed to something that looks a name up in it, or a table's entry of such a name."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in _CODE
    if not isinstance(node, ast.Name | ast.Attribute) or source.full(node) not in {"builtins", "__dict__"}:
        return False
    return not isinstance(source.parents[node], ast.Attribute)


def _runs_expression(source: Source, ours: Ours, node: ast.AST) -> bool:
    """pandas reads an expression as Python."""
    name = _named(source, node)
    if "." not in name or _last(name) not in _RUNS_EXPRESSIONS:
        return False
    call = source.parents[node]
    if not isinstance(call, ast.Call) or call.func is not node:
        # Other things have a `query`, too.
        return _last(name) == "eval"
    return not ours.are(source, (*call.args, *(it.value for it in call.keywords)))


def composes_sql(source: Source, ours: Ours) -> Iterator[ast.AST]:
    """A statement is written by us, or made by SQLAlchemy, which binds its values."""
    for node in source.nodes:
        if _writes_sql(source, ours, node):
            yield node
        name = _named(source, node)
        as_text = name.startswith("sqlalchemy.") and _last(name) in _SQL_TEXTS
        runs = _last(name) in _RUNS_SQL and "." in name and not name.startswith("failtrace.")
        if not as_text and not runs:
            continue
        call = source.parents[node]
        if not isinstance(call, ast.Call) or call.func is not node:
            yield node
        elif call.args:
            if not ours.is_(source, call.args[0]) and (as_text or not ours.is_construct(source, call.args[0])):
                yield node
        elif call.keywords:
            yield node


def _writes_sql(source: Source, ours: Ours, node: ast.AST) -> bool:
    """What becomes a part of a statement as it is."""
    name = _named(source, node)
    piece = _SQL_PIECES.get(_last(name))
    # A name of one's own may be `op`, too, and so may what other things have.
    if piece is None or name == "op":
        return False
    call = source.parents[node]
    if not isinstance(call, ast.Call) or call.func is not node:
        return _last(name) != "op"
    return not ours.are(source, (*call.args[piece], *(it.value for it in call.keywords if it.arg != "dialect_name")))


def writes_markup(source: Source, ours: Ours) -> Iterator[ast.AST]:
    """HTML from anything, Markdown from what is not ours: an image in it is fetched by who looks at it."""
    for node, module in source.modules():
        if "components.v1" in module:
            yield node
    for node in source.nodes:
        if (isinstance(node, ast.keyword) and node.arg in _HTML) or (
            isinstance(node, ast.Constant) and node.value in _HTML
        ):
            yield node
        if _fetches(source, ours, node) or _is_of_a_component(source, ours, node):
            yield node
    if any(module.split(".")[0] == "streamlit" for _, module in source.modules()):
        yield from _shown(source, ours)


def _fetches(source: Source, ours: Ours, node: ast.AST) -> bool:
    """A chart's picture, data or link: `url=` names a column, and what stands there is fetched."""
    if isinstance(node, ast.keyword) and node.arg in {"url", "href"}:
        call = source.parents[node]
        made = source.full(call.func) if isinstance(call, ast.Call) else ""
        return _last(made) == "encode" or made.startswith("altair.")
    name = _named(source, node)
    return _last(name) == "mark_image" or (name.startswith("altair.") and _last(name) in _PICTURES)


def _is_of_a_component(source: Source, ours: Ours, node: ast.AST) -> bool:
    """What a page is made of: the HTML, CSS and JavaScript of a component."""
    if not _named(source, node).endswith("components.v2.component"):
        return False
    call = source.parents[node]
    if not isinstance(call, ast.Call) or call.func is not node:
        return True
    return not ours.are(source, (*call.args, *(it.value for it in call.keywords)))


def _shown(source: Source, ours: Ours) -> Iterator[ast.AST]:
    for node in source.nodes:
        name = _named(source, node)
        if name.startswith("streamlit.") and _last(name) in _SHOWN and not source.is_called(node):
            yield node
        if "." not in name or not source.is_called(node) or name.startswith(_NOT_SHOWN):
            continue
        shown = slice(0, 1) if "column_config" in name and _last(name) in _COLUMNS else _SHOWN.get(_last(name))
        if _last(name) in _HTML_CALLS or (shown and not ours.are(source, _said(source.parents[node], shown))):
            yield node


def _said(call: ast.AST, shown: slice) -> Iterator[ast.expr]:
    assert isinstance(call, ast.Call)
    yield from call.args[shown]
    by_name = [it.value for it in call.keywords if it.arg in _SHOWN_BY_NAME or it.arg is None]
    for it in (*by_name, *call.args[_FORMAT:]):
        # Of a function, what it makes of each option.
        if isinstance(it, ast.Lambda):
            yield it.body
        elif it in by_name:
            yield it


def starts_a_shell(source: Source, _: Ours) -> Iterator[ast.AST]:
    for node in source.nodes:
        if _named(source, node) in _SHELLS:
            yield node
        elif isinstance(node, ast.keyword) and node.arg == "shell":
            if not isinstance(node.value, ast.Constant) or node.value.value:
                yield node
        elif isinstance(node, ast.List | ast.Tuple | ast.Call):
            given = node.args if isinstance(node, ast.Call) else node.elts
            words = [str(it.value) for it in given if isinstance(it, ast.Constant)]
            if {word.rpartition("/")[2] for word in words} & _SHELL_NAMES and {"-c", "-lc", "/c"} & set(words):
                yield node


def loads_yaml(source: Source, _: Ours) -> Iterator[ast.AST]:
    """Nothing of ours is YAML."""
    return (node for node, module in source.modules() if module.split(".")[0] in {"yaml", "ruamel"})


def takes_a_guessable_file(source: Source, _: Ours) -> Iterator[ast.AST]:
    return (node for node in source.nodes if _last(_named(source, node)) in {"mktemp", "tempnam", "tmpnam"})


def unpacks_by_name(source: Source, _: Ours) -> Iterator[ast.AST]:
    """Names inside an archive can lead out of the folder it is unpacked to."""
    unpackers = {"extractall", "unpack_archive"}
    for node in source.nodes:
        name = _named(source, node)
        if _last(name) in unpackers or ("." in name and _last(name) == "extract"):
            yield node


def writes_files(source: Source, _: Ours) -> Iterator[ast.AST]:
    """The way of an import: what is read there names no file to be written."""
    if source.path not in IMPORT_PATH:
        return
    for node in source.nodes:
        name = _named(source, node)
        by_name = (
            name.split(".")[0] in {"shutil", "tempfile"}
            or name.endswith("whole_file.writing")
            or (_last(name) in _FILES and "." in name)
        )
        if by_name or (isinstance(node, ast.Call) and _opens_to_write(source, node)):
            yield node


def _opens_to_write(source: Source, call: ast.Call) -> bool:
    name = source.full(call.func)
    if _last(name) == "replace":
        # A text's takes two.
        return name == "os.replace" or len(call.args) == 1
    if _last(name) not in _OPENS:
        return False
    if name == "os.open":
        # Alone: beside it stands what makes, empties or extends a file.
        flags = [it.value for it in call.keywords if it.arg == "flags"] or call.args[1:2]
        return [source.full(it) for it in flags] != ["os.O_RDONLY"]
    at = 0 if isinstance(call.func, ast.Attribute) and source.full(call.func.value) not in {"gzip", "io", "os"} else 1
    given = [it.value for it in call.keywords if it.arg in {"mode", None}] or call.args[at : at + 1]
    return any(not isinstance(it, ast.Constant) or set(str(it.value)) & set("wax+") for it in given)


RULES: dict[str, Rule] = {
    "names that hide": hides_names,
    "objects from bytes": loads_objects,
    "code from text": runs_text,
    "composed SQL": composes_sql,
    "markup": writes_markup,
    "a shell": starts_a_shell,
    "yaml": loads_yaml,
    "tempfile.mktemp": takes_a_guessable_file,
    "unpacking by name": unpacks_by_name,
    "files of an import": writes_files,
}
