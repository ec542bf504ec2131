"""What the shop holds, in the shape its tools answer with. Fields that are not named here are kept as they are."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Goods(BaseModel):
    """Something the shop holds; it may be changed, and answers show the fields that were given or set."""

    model_config = ConfigDict(extra="allow")


class Address(Goods):
    """Where something goes."""

    address1: str
    address2: str
    city: str
    state: str
    country: str
    zip: str


class Item(Goods):
    """One thing in an order: a variant of a product."""

    name: str
    item_id: str
    product_id: str
    price: float
    options: dict[str, Any]


class Variant(Goods):
    """One kind of a product that can be bought."""

    item_id: str
    options: dict[str, Any]
    available: bool
    price: float


class Product(Goods):
    """A product and its variants, by item_id."""

    name: str
    product_id: str
    variants: dict[str, Variant]


class Payment(Goods):
    """Money that went one way or the other."""

    transaction_type: str
    amount: float
    payment_method_id: str


class Order(Goods):
    """An order, and what was asked for after its delivery."""

    user_id: str
    address: Address
    items: list[Item]
    status: str
    payment_history: list[Payment] = Field(min_length=1)
    cancel_reason: str | None = None
    return_items: list[str] = []
    return_payment_method_id: str | None = None
    exchange_items: list[str] = []
    exchange_new_items: list[str] = []
    exchange_payment_method_id: str | None = None
    exchange_price_difference: float | None = None


class PaymentMethod(Goods):
    """A way to pay; only a gift card has a balance."""

    source: str
    balance: float | None = None


class User(Goods):
    """A customer."""

    name: dict[str, str]
    address: Address
    email: str
    payment_methods: dict[str, PaymentMethod]
