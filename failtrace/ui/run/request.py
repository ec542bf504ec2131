"""What somebody asks to be run, and whether it may be."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, get_args

from failtrace.errors import InputError
from failtrace.runner import MAX_WORKERS
from failtrace.storage.trace_store import StoreKind
from failtrace.subjects.subject import MAX_TIMEOUT_S

LONGEST_INPUTS: Final = 5 * 1024 * 1024
"""Bytes of inputs, as `server.maxUploadSize` has it; more belongs into a file and `failtrace run --inputs`."""
STORES: Final[tuple[StoreKind, ...]] = get_args(StoreKind)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Names of registered subjects, to be run on their own examples or on JSON Lines."""

    subjects: tuple[str, ...]
    inputs: bytes | None = None
    timeout_s: float | None = None
    workers: int | None = None
    store: StoreKind = "auto"

    def check(self, registered: Collection[str], *, has_cosmos: bool = False) -> None:
        """Raise InputError for anything the page should not have let through: its widgets are no guard."""
        if not self.subjects:
            raise InputError("Nothing to run: choose at least one subject.")
        for name in self.subjects:
            if name not in registered:
                raise InputError(
                    f"Cannot run {name!r:.200}: no subject is registered under that name; choose from the list."
                )
        self._check_inputs()
        self._check_options(has_cosmos)

    def _check_inputs(self) -> None:
        if self.inputs is None:
            return
        if not self.inputs.strip():
            raise InputError("No input was given: paste one JSON value a line, or run on the subjects' own examples.")
        if len(self.inputs) > LONGEST_INPUTS:
            raise InputError("The inputs are longer than 5 MB: put them into a file for `failtrace run --inputs`.")

    def _check_options(self, has_cosmos: bool) -> None:
        if self.store not in STORES:
            raise InputError(f"There is no store {self.store!r:.40}; choose one of the list.")
        if self.store == "cosmos" and not has_cosmos:
            raise InputError("Cosmos DB is not set up here: set COSMOS_ENDPOINT, or choose another store.")
        if self.timeout_s is not None and not (_is_number(self.timeout_s) and 0 < self.timeout_s <= MAX_TIMEOUT_S):
            raise InputError(f"The timeout is {self.timeout_s!r:.40}; give seconds above 0, or leave it empty.")
        if self.workers is not None and not (type(self.workers) is int and 1 <= self.workers <= MAX_WORKERS):
            raise InputError(f"{self.workers!r:.40} executions at once cannot be; give 1 to {MAX_WORKERS}.")


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
