"""A program that takes every hostile value through every place of an execution, and stores what became of it.

`python -m support.carrier FILE` writes each record to FILE, a line each, as it was before it was stored. A program of
its own, because pytest's log handler raises what a value raises.
"""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from support.hostile_values import ZOO, hostile_value

from failtrace import TraceRecord, TraceStore, run_with_failure_detection, step
from failtrace.codec import encode_record


class Promise(BaseModel):
    """What no hostile value is."""

    model_config = {"extra": "forbid"}
    promised: int


def tell(value: Any) -> None:
    """Through a step's attributes, input and output, and through a log record."""
    with step("carry", value=value, input=value) as carry:
        carry.output = value
    # Not a warning: Python's last resort would spell it out on stderr, which takes for ever of some.
    # With two arguments: Python asks a single one for its class.
    logging.getLogger("carrier").info("%s: %s", "carried", value, extra={"value": value})


def raise_it(value: Any) -> None:
    """The value as input, in a step, in the log, and in an exception."""
    tell(value)
    raise ValueError(value)


def give_it(name: str) -> Any:
    """The value as output, made where it is given back: not all of them can travel."""
    value = hostile_value(name)
    tell(value)
    return {"value": value}


VALUES = tuple([name for name in ZOO if name != "repr interrupts"])
"""One raises KeyboardInterrupt while it is logged, which inside a host is the host's own."""


def carried() -> Iterator[TraceRecord]:
    """Of each value one execution that raises it, and one that returns it."""
    for name in VALUES:
        yield run_with_failure_detection(raise_it, hostile_value(name), isolation="inline")[1]
        yield run_with_failure_detection(give_it, name, output_model=Promise)[1]


def main(target: Path) -> None:
    """Carry all, tell the file and the store."""
    logging.getLogger("carrier").setLevel(logging.INFO)
    records = list(carried())
    target.write_bytes(b"".join(encode_record(record) + b"\n" for record in records))
    with TraceStore.open() as store:
        store.store_traces(records)
        pending = store.flush(timeout=120).pending
    sys.exit(pending)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
