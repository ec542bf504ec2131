"""`failtrace subjects`: what can be run."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from failtrace.capture.redaction import redact_sentence
from failtrace.cli.options import json_option
from failtrace.cli.output import one_line, print_json, to_stderr, to_stdout
from failtrace.services import load_registry
from failtrace.settings import Settings
from failtrace.subjects.subject import Subject


@click.command("subjects")
@json_option
def subjects(as_json: bool) -> None:
    """List what can be run, and modules that cannot be imported."""
    registry = load_registry(Settings.load())
    for problem in registry.problems:
        to_stderr().print(redact_sentence(problem), soft_wrap=True)
    if as_json:
        for subject in registry.subjects():
            print_json(_as_json(subject))
        return
    if not registry.subjects():
        to_stdout().print("No subject is registered; FAILTRACE_SUBJECTS names modules that register some.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("subject", "timeout", "contract", "what it does"):
        table.add_column(heading, overflow="fold")
    for subject in registry.subjects():
        timeout = f"{subject.timeout:g} s" if subject.timeout else "default"
        table.add_row(subject.name, timeout, contract_name(subject.output_model), one_line(subject.description))
    to_stdout().print(table)


def contract_name(model: Any) -> str:
    """The contract in a word."""
    if model is None:
        return "none"
    return "JSON Schema" if isinstance(model, dict) else getattr(model, "__name__", str(model))


def _as_json(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.name,
        "source": subject.source,
        "version": subject.version,
        "timeout_s": subject.timeout,
        "memory_limit_bytes": subject.memory_limit_bytes,
        "cpu_limit_s": subject.cpu_limit_s,
        "output_limit_bytes": subject.output_limit_bytes,
        "step_limit": subject.step_limit,
        "process_limit": subject.process_limit,
        "contract": contract_name(subject.output_model),
        "has_evidence": subject.evidence is not None,
        "example_inputs": len(subject.example_inputs),
        "description": subject.description,
    }
