"""Outputs held against their contracts, on the real objects."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, RootModel

from failtrace.capture.sanitiser import Marks
from failtrace.execution.contract_check import check_contract


class Price(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: int = Field(default=1, alias="amt")

    @cached_property
    def doubled(self) -> int:
        return self.amount * 2


class Discounted(Price):
    was: int = 2


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    legs: int = 4


class Bird(BaseModel):
    kind: Literal["bird"] = "bird"
    legs: int = 2


class Tags(RootModel[list[int]]):
    pass


class Order(BaseModel):
    price: Price = Field(default_factory=Price)
    items: list[Price] = []
    by_name: dict[str, Price] = {}
    pair: tuple[Price, int] | None = None
    animal: Annotated[Dog | Bird, Field(discriminator="kind")] = Field(default_factory=Dog)
    strict: Price = Field(default_factory=Price, strict=True)
    instance: InstanceOf[Dog] = Field(default_factory=Dog)
    tags: Tags = Field(default_factory=lambda: Tags([1]))
    inner: Order | None = None


def violations(output: Any, model: Any = Order) -> list[tuple[str, str]]:
    return [(found["location"], found["rule"]) for found in check_contract(model, output, Marks())]


def order(price: type[Price] = Price) -> Order:
    return Order(
        price=price(),
        items=[price()],
        by_name={"a": price()},
        pair=(price(), 1),
        animal=Bird(),
        inner=Order(price=price()),
    )


@pytest.mark.parametrize("price", [Price, Discounted])
def test_a_valid_output_fits_whatever_its_classes(price: type[Price]) -> None:
    """A subclass with a field of its own, a cached property and an alias are no violations, however deep."""
    output = order(price)
    assert output.items[0].doubled == 2

    assert violations(output) == []
    assert violations([price()], list[Price]) == []


def test_every_nested_instance_is_held_to_the_contract() -> None:
    """Instances may have been changed since they were validated, in fields, lists, dicts and tuples."""
    output = order(Discounted)
    assert output.pair is not None
    assert output.inner is not None
    for price in (output.price, output.items[0], output.by_name["a"], output.pair[0], output.inner.price):
        price.amount = "much"  # type: ignore[assignment]
    output.animal.legs = "two"  # type: ignore[assignment]
    output.tags.root.append("x")  # type: ignore[arg-type]

    assert violations(output) == [
        ("price.amount", "int_parsing"),
        ("items[0].amount", "int_parsing"),
        ("by_name.a.amount", "int_parsing"),
        ("pair[0].amount", "int_parsing"),
        ("animal.bird.legs", "int_parsing"),
        ("tags[1]", "int_parsing"),
        ("inner.price.amount", "int_parsing"),
    ]
    assert violations(
        {"a": [output.price]}, {"properties": {"a": {"items": {"properties": {"amount": {"type": "integer"}}}}}}
    ) == [("a[0].amount", "type")]


def test_what_nobody_promised_is_still_a_violation() -> None:
    """A plain dict with a field too many breaks a contract that forbids it, as does another model's."""
    assert violations({"price": {"amount": 1, "was": 2}}) == [("price.was", "extra_forbidden")]
    assert violations(Dog(), Price) == [("kind", "extra_forbidden"), ("legs", "extra_forbidden")]


def test_a_root_model_and_a_circle_are_checked() -> None:
    """A root model stands for its value; a model that holds itself comes to an end."""
    circle = Order()
    circle.inner = circle

    assert violations(Tags([1]), Tags) == []
    assert violations(circle) == []


class Login(BaseModel):
    user: str
    pin_password: int
    limits: dict[str, int] = {}


def test_a_secret_that_breaks_the_contract_is_not_told() -> None:
    """Neither as the violation's value nor in its message; its place and rule are, and other values stay."""
    marks = Marks()
    secret = "hunter" + "2 and more"

    told = check_contract(Login, {"user": 1, "pin_password": secret, "limits": {"api_key": [secret]}}, marks)
    by_schema = check_contract({"properties": {"password": {"type": "integer"}}}, {"password": secret}, marks)

    assert [(found["location"], found["rule"]) for found in told] == [
        ("user", "string_type"),
        ("pin_password", "int_parsing"),
        ("limits.api_key", "int_type"),
    ]
    assert told[0]["value"] == 1
    assert told[1]["value"] == {"$failtrace": "redacted", "rule": "key:password", "type": "str"}
    assert by_schema[0]["rule"] == "type"
    assert secret not in repr([told, by_schema])
    assert marks.values_redacted == 3
