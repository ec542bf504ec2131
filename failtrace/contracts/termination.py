"""How a process that did not end by itself came to its end."""

from failtrace.contracts.base import Contract, StepId


class Termination(Contract):
    """Cause of death as data. A field is None where it could not be known."""

    exit_code: int | None = None
    signal: str | None = None
    """Name of the signal, e.g. `SIGSEGV`."""
    core_dumped: bool = False
    out_of_memory: bool | None = None
    """True and False are both known facts; None says that nobody could tell."""
    peak_rss_bytes: int | None = None
    last_open_step_id: StepId | None = None
