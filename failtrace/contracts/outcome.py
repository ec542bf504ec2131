"""What happened to an execution, as a value: a tagged union over `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from failtrace.contracts.base import Contract
from failtrace.contracts.error_info import ErrorInfo
from failtrace.contracts.termination import Termination


class Returned(Contract):
    """The subject returned; the value is the record's `output`."""

    kind: Literal["returned"] = "returned"


class Raised(Contract):
    """The subject raised an exception, `SystemExit` included."""

    kind: Literal["raised"] = "raised"
    error: ErrorInfo


class TimedOut(Contract):
    """The deadline passed before the subject ended."""

    kind: Literal["timed_out"] = "timed_out"
    limit_s: float
    elapsed_s: float
    stacks: str
    enforced: bool
    """False where the isolation could only notice the deadline, not end the subject."""
    termination: Termination | None


class Crashed(Contract):
    """The process died under the subject, or was lost with its host."""

    kind: Literal["crashed"] = "crashed"
    termination: Termination
    reason: str
    """One sentence, e.g. `The process was ended by SIGSEGV.`"""


Outcome = Annotated[Returned | Raised | TimedOut | Crashed, Field(discriminator="kind")]
