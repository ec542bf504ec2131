"""`failtrace export` and `failtrace import`: a backup of all that the mirror holds, and the way back."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import IO, Final

import click

from failtrace.cli.options import json_option
from failtrace.cli.output import one_line, print_json, print_line, to_stdout
from failtrace.cli.whole_file import writing
from failtrace.errors import FailureIdTaken, StoreError
from failtrace.exchange import archive
from failtrace.exchange.archive import Bad, End, RunLine
from failtrace.mirror.archive import AT_ONCE, Archived
from failtrace.mirror.mirror import Mirror
from failtrace.services import open_services
from failtrace.wording import count_of

EXIT_FAILED: Final = 1
_BYTES_AT_ONCE: Final = 16 * 2**20
"""Bytes of records and their texts from which on they are written, however few wait: a line may have 128 MiB."""
_TOLD_BAD = 20
"""Bad lines that are told one by one."""
_log = logging.getLogger("failtrace")


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), metavar="FILE")
@json_option
def export_command(target: Path, as_json: bool) -> None:
    """Write every run and execution with its record to FILE, as JSON lines.

    Packed with gzip where FILE ends in .gz; - is stdout. The file appears whole or not at all.
    """
    services = open_services()
    try:
        with writing(target) as file:
            # Before the first byte: whoever takes it may leave, or end this process, before the last.
            _file(services.store.mirror, f"began to write all to {target}")
            end = _write(services.store.mirror, file)
        _file(services.store.mirror, f"{count_of(end.executions, 'execution')} to {target}")
    finally:
        services.close()
    if as_json:
        print_json({"type": "export", "runs": end.runs, "executions": end.executions, "file": str(target)})
    elif str(target) != "-":
        told = f"{count_of(end.executions, 'execution')} and {count_of(end.runs, 'run')} written to {target}."
        to_stdout().print(one_line(told, 500), soft_wrap=True)


def _file(mirror: Mirror, detail: str) -> None:
    """A backup is what one makes of a full disk, or of one that cannot be written: neither stands in its way."""
    try:
        mirror.note("exported", detail)
    except StoreError as error:
        _log.warning("This export is not filed in the audit. %s", error)


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE")
@json_option
def import_command(source: Path, as_json: bool) -> int:
    """Take in what `failtrace export` wrote; what is here already stays as it is. Exit 1 where a line was bad."""
    services = open_services()
    try:
        with archive.reading(source) as file:
            taken = Taken(services.store.mirror, outbox=services.store.backend.remote)
            lines = archive.read(file)
            # Before the first record: the file, or this process, may end before all of them are here.
            services.store.mirror.note("imported", f"began to take in {source}")
            for number, line in enumerate(lines, 2):  # behind the header
                taken.take(number, line)
            taken.flush()
            services.store.mirror.note("imported", f"{count_of(taken.executions, 'execution')} from {source}")
    finally:
        services.close()
    if as_json:
        print_json(
            {
                "type": "import",
                "executions": taken.executions,
                "new": taken.new,
                "runs": taken.runs,
                "bad_lines": taken.bad,
                "whole": taken.whole,
            }
        )
    else:
        to_stdout().print(taken.told(), soft_wrap=True)
    return EXIT_FAILED if taken.bad or not taken.whole else 0


class Taken:
    """An import under way: what was taken so far, and what waits for the next transaction."""

    def __init__(self, mirror: Mirror, *, outbox: bool) -> None:
        self._mirror = mirror
        self._outbox = outbox
        self._waiting: list[tuple[int, Archived]] = []
        self._waiting_bytes = 0
        self._end: End | None = None
        self._seen_runs = 0
        self.executions = self.new = self.runs = self.bad = 0

    @property
    def whole(self) -> bool:
        """Whether the file's last line was there and its counts are those of the lines before."""
        return self._end == End(runs=self._seen_runs, executions=self.executions)

    def take(self, number: int, line: archive.Line) -> None:
        """One line, with its number in the file."""
        if isinstance(line, Archived):
            self._waiting.append((number, line))
            self._waiting_bytes += len(line.entry.body) + len(line.entry.text) + len(line.entry.subject)
            if len(self._waiting) >= AT_ONCE or self._waiting_bytes >= _BYTES_AT_ONCE:
                self.flush()
        elif isinstance(line, RunLine):
            self._seen_runs += 1
            self.runs += self._mirror.archive.restore_run(line.model_dump())
        elif isinstance(line, Bad):
            self._skip(line)
        else:
            self._end = line

    def flush(self) -> None:
        """Write what waits; where one of them cannot be taken, each for itself."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        try:
            self._restore([line for _, line in waiting])
        except FailureIdTaken:
            for number, line in waiting:
                try:
                    self._restore([line])
                except FailureIdTaken as error:
                    self._skip(Bad(number, str(error)))

    def _restore(self, lines: list[Archived]) -> None:
        self.new += self._mirror.archive.restore(lines, outbox=self._outbox)
        self.executions += len(lines)

    def _skip(self, line: Bad) -> None:
        self.bad += 1
        if self.bad <= _TOLD_BAD:
            print_line(f"failtrace: line {line.number} was skipped: {one_line(line.why, 300)}", err=True)

    def told(self) -> str:
        """The outcome in a sentence or two."""
        told = f"{count_of(self.executions, 'execution')} read, {self.new:,} of them new."
        if self.bad:
            told += f" {count_of(self.bad, 'line')} skipped."
        if not self.whole:
            told += " The file is not whole: it ends before its last line, or lines of it were bad."
        return told


def _write(mirror: Mirror, file: IO[bytes]) -> End:
    file.write(archive.header())
    runs = executions = 0
    for columns in mirror.archive.runs():
        file.write(archive.run_line(columns))
        runs += 1
    for found in mirror.archive.executions():
        file.write(archive.execution_line(found))
        executions += 1
    end = End(runs=runs, executions=executions)
    file.write(archive.end_line(end))
    return end
