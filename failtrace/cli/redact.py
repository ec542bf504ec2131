"""`failtrace redact`: any text without its secrets, by the rules in force; to try rules out, or to clean a log."""

import re
from collections import Counter
from typing import TextIO

import click

from failtrace.capture.redaction import follow, redact_text
from failtrace.cli.output import print_line
from failtrace.settings import Settings
from failtrace.wording import count_of

_MARKER = re.compile(r"\[redacted:([a-z0-9_:]{1,120})\]")


@click.command("redact")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="backslashreplace"), default="-")
def redact(file: TextIO) -> None:
    """Print FILE (or what is piped in) as a record would hold it; what was found goes to stderr, rule by rule."""
    follow(Settings.load())
    text = file.read()
    before = Counter(_MARKER.findall(text))
    clean, count = redact_text(text)
    click.echo(clean, nl=False)
    found = Counter(_MARKER.findall(clean)) - before
    rules = ", ".join([f"{rule} {number}" for rule, number in found.most_common()])
    print_line(f"{count_of(count, 'secret')} redacted{f': {rules}' if rules else ''}.", err=True)
