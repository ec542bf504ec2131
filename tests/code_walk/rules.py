"""What must not stand in the code: a function a rule, which gives the places where it is met."""

import ast
from collections.abc import Callable, Iterator

from code_walk.ours import Ours
from code_walk.source import Source

Rule = Callable[[Source, Ours], Iterator[ast.AST]]

_LOADERS = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
_LOADERS_BY_NAME = {"ForkingPickler", "read_pickle", "to_pickle", "Unpickler", "allow_pickle"}
_CODE = {"eval", "exec", "compile", "__import__", "runpy.run_path", "runpy.run_module", "code.interact", "__builtins__"}
_RUNS_SQL = {"execute", "executemany", "executescript", "exec_driver_sql"}
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
_ELEMENTS = """
    markdown write write_stream caption error warning info success toast title header subheader badge button latex tabs
    expander popover checkbox toggle form_submit_button download_button file_uploader selectbox multiselect text_input
    text_area number_input slider select_slider date_input time_input data_editor spinner status camera_input
    audio_input color_picker video audio echo dialog feedback menu_button chat_input help
"""
_SHOWN = {
    **dict.fromkeys(_ELEMENTS.split(), slice(0, 1)),
    **dict.fromkeys(("image", "link_button", "radio", "pills", "segmented_control"), slice(0, 2)),
    "metric": slice(0, 3),
    "progress": slice(1, 2),
}
"""Elements of Streamlit that read Markdown or fetch what they are given, and which of their arguments they show."""
_SHOWN_BY_NAME = {"label", "body", "help", "caption", "captions", "text", "title", "delta"}
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
        if module.split(".")[0] in _LOADERS or _last(module) in _LOADERS_BY_NAME:
            yield node
    for node in source.nodes:
        by_name = _last(_named(source, node)) in _LOADERS_BY_NAME and not isinstance(node, ast.Name)
        called = isinstance(node, ast.Call) and source.full(node.func).split(".")[0] in _LOADERS
        if by_name or called or (isinstance(node, ast.keyword) and node.arg in _LOADERS_BY_NAME):
            yield node


def runs_text(source: Source, _: Ours) -> Iterator[ast.AST]:
    """Any mention: who hands the function over calls it elsewhere."""
    return (node for node in source.nodes if _named(source, node) in _CODE)


def composes_sql(source: Source, ours: Ours) -> Iterator[ast.AST]:
    """A statement is written by us, or made by SQLAlchemy, which binds its values."""
    for node in source.nodes:
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
    if any(module.split(".")[0] == "streamlit" for _, module in source.modules()):
        yield from _shown(source, ours)


def _shown(source: Source, ours: Ours) -> Iterator[ast.AST]:
    for node in source.nodes:
        name = _named(source, node)
        if name.startswith("streamlit.") and _last(name) in _SHOWN and not source.is_called(node):
            yield node
        if "." not in name or not source.is_called(node) or name.startswith(_NOT_SHOWN):
            continue
        shown = _SHOWN.get(_last(name))
        if _last(name) in _HTML_CALLS or (shown and not ours.are(source, _said(source.parents[node], shown))):
            yield node


def _said(call: ast.AST, shown: slice) -> Iterator[ast.expr]:
    assert isinstance(call, ast.Call)
    yield from call.args[shown]
    yield from (it.value for it in call.keywords if it.arg in _SHOWN_BY_NAME or it.arg is None)


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
        by_name = name.split(".")[0] in {"shutil", "tempfile"} or (_last(name) in _FILES and "." in name)
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
