"""Where a format puts a value that does not stand right behind its name: XML, YAML's lines below, records, forms.

BLOCK is looked for in a text itself, those that are INSIDE also in others that stand in it. Each has the groups `key`
and one of those of its value. What it repeats has a bound, or is given back nothing.
"""

import re

from failtrace.secrets.judgement import has_digit, is_opaque
from failtrace.secrets.names import SecretKey
from failtrace.secrets.values import quoted_is_secret

_VALUE_GROUPS = ("value", "quoted", "bare")
_KEY = r"(?P<key>[A-Za-z_][\w.-]{0,80})"

# YAML. In a text that stands in another a quote ends all of it.
_BEGIN = r"(?:(?m:^)|(?<=[\"']))"
_END = r"[ \t]{0,8}\r?\n"
_STOP = r"(?=[ \t\r]{0,8}(?:(?m:$)|\\{0,7}[\"']))"
_COMMENT = r"[ \t]{0,4}(?:\#[^\r\n]{0,200})?"


def _block(character: str) -> re.Pattern[str]:
    """A block; its first line says how far all are indented."""
    return re.compile(
        rf"{_BEGIN}[ \t-]{{0,40}}[\"']?{_KEY}[\"']?:[ ]?[|>][-+0-9]{{0,2}}{_COMMENT}{_END}(?:[ \t]{{0,40}}{_END})?"
        rf"(?P<inner>[ \t]{{1,40}})(?P<value>(?!\s){character}++(?:\r?\n(?:[ \t]*\r?\n)?(?P=inner){character}++)*+)"
    )


BLOCK = _block(r"[^\r\n]")
_BLOCK_INSIDE = _block(r"(?:[^\r\n\"]|(?<=\\)\")")
_IN_MARKS = r"\"[^\"\r\n]++\"|'[^'\r\n]++'"
_PLAIN = r"(?:[^\r\n\"'\\]|\\(?!\\{0,6}[\"'])|'(?=\w))"
_ITEM = rf"(?:{_IN_MARKS}|(?:(?!:[ ]|:{_STOP}){_PLAIN})++)"
_BELOW = re.compile(
    rf"{_BEGIN}[ \t-]{{0,40}}[\"']?{_KEY}[\"']?:{_COMMENT}{_END}[ \t]{{0,40}}"
    rf"(?P<value>(?:-[ ]|(?<=[ \t]))(?![\s:#-]){_ITEM}(?:{_END}[ \t]{{0,40}}-[ ]{_ITEM})*+){_STOP}"
)
"""What stands in the next line, or in a list below; a line with a colon and a space is a name again."""
_PAIR = rf"[\w.@\"'-]{{1,80}}:[ ](?=[^\s|>&*!{{\[#]|\[redacted:)(?:{_IN_MARKS}|{_PLAIN}++)"
_MAP_BELOW = re.compile(
    rf"{_BEGIN}[ \t]{{0,40}}[\"']?{_KEY}[\"']?:{_COMMENT}{_END}(?P<inner>[ \t]{{1,40}})"
    rf"(?P<value>{_PAIR}(?:{_END}(?P=inner){_PAIR})*+){_STOP}"
)
"""A map below, whose first line says how far all are indented."""
_HEREDOC = re.compile(
    rf"{_KEY}[ \t]{{0,20}}=[ \t]{{0,4}}<<[-~]?[\"']?(?P<tag>[A-Za-z_]\w{{0,30}})[\"']?{_END}"
    r"[ \t]{0,40}+(?P<value>(?![ \t]*+(?P=tag)\b)[^\n]*+(?:\n(?![ \t]*+(?P=tag)\b)[^\n]*+)*+)(?=\n[ \t]*+(?P=tag)\b|\Z)"
)
"""As shells and HCL have it."""

_FIELD = r"\b(?:[Nn]ame|NAME|(?:[Pp]arameter)?[Kk]ey|KEY|header|field)"
_VALUE_FIELD = r"(?:(?:[Pp]arameter)?[Vv]alue|VALUE|val)"
_QUOTE = r"""(?:\\{0,7}["'])?"""
_IN_QUOTES = r"""(?:[^\\\n{0}]|\\(?!\\{{0,6}}{0})){{3,}}+"""
_NAMED = rf"""{_QUOTE}[ ]{{0,3}}[:=][ ]{{0,3}}{_QUOTE}(?:/?[\w.-]{{1,60}}/){{0,8}}{_KEY}{_QUOTE}"""
_THE_VALUE = (
    rf"""{_QUOTE}[ ]{{0,3}}[:=][ ]{{0,3}}\\{{0,7}}(?:"(?P<value>{_IN_QUOTES.format('"')})\\{{0,7}}\""""
    rf"""|'(?P<quoted>{_IN_QUOTES.format("'")})\\{{0,7}}'"""
)
_ATTRIBUTES = r"""(?:[a-z-]{1,20}=\\{0,7}["'][^"'<>\n]{0,80}["'][ ]{1,4}){0,4}"""
_BETWEEN = rf"(?:{_QUOTE}\w{{1,30}}{_QUOTE}[ ]{{0,3}}:[ ]{{0,3}}{_QUOTE}[\w .:/-]{{0,80}}{_QUOTE},\s{{1,20}}){{0,3}}"
"""Other fields of a record: `"type": "string", `."""
_NAME_AND_VALUE = re.compile(
    rf"""{_FIELD}{_NAMED}[\s,]{{1,20}}{_BETWEEN}{_ATTRIBUTES}{_QUOTE}{_VALUE_FIELD}{_THE_VALUE}|(?P<bare>[^\s"',<>}}]{{3,}}+))"""
)
"""`{"name": "DB_PASSWORD", "value": "x"}`, in JSON, YAML, reprs, XML and HTML."""
_VALUE_AND_NAME = re.compile(rf"""\b{_VALUE_FIELD}{_THE_VALUE})[\s,]{{1,20}}{_BETWEEN}{_QUOTE}{_FIELD[2:]}{_NAMED}""")
_LOCATED = re.compile(
    rf"""\bloc{_QUOTE}:\s{{0,4}}[\[(][^\])\n]{{0,200}}?\\{{0,7}}["']{_KEY}\\{{0,7}}["'],?\s{{0,20}}[\])],\s{{0,20}}"""
    rf"""(?:{_QUOTE}msg{_QUOTE}:\s{{0,4}}\\{{0,7}}["'][^"'\n]{{0,300}}["'],\s{{0,20}})?{_QUOTE}input{_THE_VALUE})"""
)
"""What pydantic, and so FastAPI, answers of a field that does not fit."""
_FORM = re.compile(rf"""name=\\{{0,7}}"{_KEY}\\{{0,7}}"(?:{_END}[ ]{{0,8}}){{2}}(?P<value>[^\r\n\\]{{3,}}+)""")
"""A field of a form, as multipart/form-data has it."""

_CHARACTER_DATA = (
    r"\s{0,40}+(?:<!--[^<>]{0,200}-->\s{0,40}+){0,3}"
    r"(?:<!\[CDATA\[(?P<quoted>[^\]\n]{1,2048}+)\]\]>|(?P<value>[^<>\n]++))\s{0,40}+<(?:/|!--)"
)
_ELEMENT = re.compile(rf"<(?P<key>[A-Za-z_][\w:.-]{{0,80}})(?:\s[^<>]{{0,200}})?>{_CHARACTER_DATA}")
_NAMED_ELEMENT = re.compile(
    rf"<[A-Za-z][\w:.-]{{0,40}}\s{{1,8}}{_ATTRIBUTES}(?:[Kk]ey|[Nn]ame)=\\{{0,7}}[\"']{_KEY}\\{{0,7}}[\"'](?:\s[^<>]{{0,200}})?>"
    rf"{_CHARACTER_DATA}"
)
"""`<entry key="password">x</entry>`."""
_NEXT_ELEMENT = re.compile(
    r"<(?:[\w:.-]{0,40}(?:[Kk]ey|[Nn]ame)|th|td|dt)>\s{0,8}(?P<key>[A-Za-z_][\w. -]{0,80}?)\s{0,8}</[\w:.-]{1,40}>"
    rf"\s{{0,40}}+<[A-Za-z][\w:.-]{{0,40}}>{_CHARACTER_DATA}"
)
"""`<key>password</key><string>x</string>`, as property lists and Hadoop have it."""

_IN_DOUBT = frozenset([_BELOW, _MAP_BELOW, _NAMED_ELEMENT, _NEXT_ELEMENT])
"""Where prose and names stand under such a name, too."""
INSIDE = (
    _ELEMENT,
    _NAMED_ELEMENT,
    _NEXT_ELEMENT,
    _BLOCK_INSIDE,
    _BELOW,
    _MAP_BELOW,
    _HEREDOC,
    _FORM,
    _NAME_AND_VALUE,
    _VALUE_AND_NAME,
    _LOCATED,
)


def value_in(match: re.Match[str], key: SecretKey) -> tuple[int, int] | None:
    """Where the value stands that a layout found under this name, if it is secret."""
    group = next(name for name in _VALUE_GROUPS if match.groupdict().get(name) is not None)
    value = match[group].strip(" \t\n.'\"\\-")
    return match.span(group) if quoted_is_secret(value, key) and _tells(match, match[group], key) else None


def _tells(match: re.Match[str], value: str, key: SecretKey) -> bool:
    """Whether it is no prose, no list of names and no map of settings, as stand there too."""
    if match.re not in _IN_DOUBT:
        return True
    lines = value.splitlines()
    if match.re is _MAP_BELOW:
        return key.of_many and any(has_digit(_bare(line.partition(": ")[2])) for line in lines)
    is_list = value.startswith("- ") and not key.of_many
    return any((is_opaque if is_list else has_digit)(_bare(line)) for line in lines)


def _bare(line: str) -> str:
    """Without what YAML puts around a value."""
    return line.partition(" #")[0].strip(" \t-'\"\\.,;")
