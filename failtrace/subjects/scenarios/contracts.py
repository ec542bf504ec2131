"""Outputs that break their contract, in each way there is."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from failtrace.capture.step import step
from failtrace.subjects.decorator import subject


class Item(BaseModel):
    """One line of an invoice."""

    name: str
    price: float = Field(ge=0)


class Invoice(BaseModel):
    """What the subjects below promise to give."""

    model_config = ConfigDict(extra="forbid")

    number: int
    items: list[Item]


def _invoice(**changes: Any) -> dict[str, Any]:
    with step("extract the invoice", kind="llm", attributes={"gen_ai.request.model": "scripted"}) as extract:
        extract.output = {"number": 7, "items": [{"name": "tea", "price": 4.5}], **changes}
        return dict(extract.output)


@subject(name="contract_field_missing", version="1", timeout=10, output_model=Invoice, example_inputs=["invoice 7"])
def contract_field_missing(text: str) -> dict[str, Any]:  # noqa: ARG001
    """Leaves a field out."""
    return _invoice(items=[{"name": "tea"}])


@subject(name="contract_wrong_type", version="1", timeout=10, output_model=Invoice, example_inputs=["invoice 7"])
def contract_wrong_type(text: str) -> dict[str, Any]:  # noqa: ARG001
    """Gives words where a number belongs."""
    return _invoice(number="seven")


@subject(name="contract_extra_field", version="1", timeout=10, output_model=Invoice, example_inputs=["invoice 7"])
def contract_extra_field(text: str) -> dict[str, Any]:  # noqa: ARG001
    """Adds a field nobody asked for."""
    return _invoice(confidence=0.9)


@subject(name="contract_constraint", version="1", timeout=10, output_model=Invoice, example_inputs=["invoice 7"])
def contract_constraint(text: str) -> dict[str, Any]:  # noqa: ARG001
    """Gives a price below zero."""
    return _invoice(items=[{"name": "tea", "price": -4.5}])
