"""What a detector shows for its verdict: a tagged union over `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from failtrace.contracts.base import Contract, Json


class ContractViolation(Contract):
    """One place where the output breaks the subject's contract."""

    kind: Literal["contract_violation"] = "contract_violation"
    location: str
    """Path into the output, e.g. `items[2].price`; `$` is the whole output."""
    rule: str
    """The rule's name as pydantic or JSON Schema calls it, e.g. `missing`, `int_parsing`, `extra_forbidden`."""
    message: str
    value: Json = None


class DeadlineExceeded(Contract):
    """A deadline that passed, and where every thread stood at that moment."""

    kind: Literal["deadline_exceeded"] = "deadline_exceeded"
    limit_s: float
    elapsed_s: float
    stacks: str
    """Stacks of all threads (and of the awaiting tasks); empty where they could not be taken."""


class UnsupportedClaim(Contract):
    """A stretch of the output that no evidence holds."""

    kind: Literal["unsupported_claim"] = "unsupported_claim"
    text: str
    start: int
    """Offset into the judged output text, in characters."""
    end: int
    score: float
    """How sure the detector is that the claim is unsupported, 0 to 1."""
    nearest_evidence: str
    """The evidence sentence closest to the claim; empty where none comes near."""
    evidence_source: str
    """Where that evidence came from, e.g. `evidence[0]` or `step:search`."""


Evidence = Annotated[ContractViolation | DeadlineExceeded | UnsupportedClaim, Field(discriminator="kind")]
