"""A small shop in memory: users, orders and products, and the tools an agent works with.

The rules are those that a retail agent's policy states: what is pending can be cancelled or modified, what is delivered
can be returned or exchanged, and an item only ever becomes another variant of the same product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError, validate_call

from examples.support_agent.arithmetic import calculate
from examples.support_agent.goods import Address, Item, Order, Payment, PaymentMethod, Product, User, Variant

Entry = TypeVar("Entry")
Swap = tuple[Item, Variant]
"""An item of an order, and the variant that takes its place."""


class ShopError(Exception):
    """The shop refuses a call; the message is what the agent gets to read."""


@dataclass(slots=True)
class Shop:
    """The shop's state, by id, and its tools by name."""

    users: dict[str, User] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    user_ids: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Users by (email,) and by (first name, last name, zip), both in small letters."""
    product_types: dict[str, str] = field(default_factory=dict)
    """Product ids by name."""

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """The answer of a tool, as JSON. Raises ShopError where there is no such tool, or it refuses."""
        tool = self._tools().get(name)
        if tool is None:
            raise ShopError(f"there is no tool {name!r}")
        try:
            answer = validate_call(tool)(**arguments)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ShopError(f"{name} cannot take these arguments: {place}: {first['msg']}") from error
        return answer.model_dump(exclude_unset=True) if isinstance(answer, BaseModel) else answer

    def _tools(self) -> dict[str, Callable[..., Any]]:
        return {
            "calculate": _calculate,
            "cancel_pending_order": self._cancel_pending_order,
            "exchange_delivered_order_items": self._exchange_delivered_order_items,
            "find_user_id_by_email": self._find_user_id_by_email,
            "find_user_id_by_name_zip": self._find_user_id_by_name_zip,
            "get_order_details": self._order,
            "get_product_details": self._product,
            "get_user_details": self._user,
            "list_all_product_types": self._list_all_product_types,
            "modify_pending_order_address": self._modify_pending_order_address,
            "modify_pending_order_items": self._modify_pending_order_items,
            "modify_user_address": self._modify_user_address,
            "return_delivered_order_items": self._return_delivered_order_items,
            "think": lambda thought: "",  # noqa: ARG005  a thought changes nothing
            "transfer_to_human_agents": lambda summary: "Transfer successful",  # noqa: ARG005  nobody is there
        }

    # Looking things up.

    def _order(self, order_id: str) -> Order:
        return _found(self.orders, order_id, "order")

    def _user(self, user_id: str) -> User:
        return _found(self.users, user_id, "user")

    def _product(self, product_id: str) -> Product:
        return _found(self.products, product_id, "product")

    def _list_all_product_types(self) -> dict[str, str]:
        return dict(sorted(self.product_types.items()))

    def _find_user_id_by_email(self, email: str) -> str:
        return _found(self.user_ids, (email.lower(),), "user")

    def _find_user_id_by_name_zip(self, first_name: str, last_name: str, zip: str) -> str:  # noqa: A002  the tool's
        return _found(self.user_ids, (first_name.lower(), last_name.lower(), zip.lower()), "user")

    # Changing things.

    def _modify_user_address(self, user_id: str, **address: str) -> User:
        user = self._user(user_id)
        user.address = Address(**address)
        return user

    def _modify_pending_order_address(self, order_id: str, **address: str) -> Order:
        order = self._order_that_is("pending", order_id, "modified")
        order.address = Address(**address)
        return order

    def _cancel_pending_order(self, order_id: str, reason: Literal["no longer needed", "ordered by mistake"]) -> Order:
        order = self._order_that_is("pending", order_id, "cancelled")
        for payment in tuple(order.payment_history):
            self._pay(order, payment.payment_method_id, -payment.amount)
        order.status, order.cancel_reason = "cancelled", reason
        return order

    def _modify_pending_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> Order:
        order = self._order_that_is("pending", order_id, "modified")
        swaps = self._swaps(order, item_ids, new_item_ids)
        difference = _difference(swaps)
        self._check_funds(order, payment_method_id, difference)
        for item, variant in swaps:
            item.item_id, item.price, item.options = variant.item_id, variant.price, variant.options
        self._pay(order, payment_method_id, difference)
        order.status = "pending (item modified)"
        return order

    def _return_delivered_order_items(self, order_id: str, item_ids: list[str], payment_method_id: str) -> Order:
        order = self._order_that_is("delivered", order_id, "returned")
        source = self._payment_method(order, payment_method_id).source
        if payment_method_id != order.payment_history[0].payment_method_id and source != "gift_card":
            raise ShopError("payment method should be either the original payment method or a gift card")
        _items(order, item_ids)
        order.status = "return requested"
        order.return_items, order.return_payment_method_id = sorted(item_ids), payment_method_id
        return order

    def _exchange_delivered_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> Order:
        order = self._order_that_is("delivered", order_id, "exchanged")
        difference = _difference(self._swaps(order, item_ids, new_item_ids))
        self._check_funds(order, payment_method_id, difference)
        order.status = "exchange requested"
        order.exchange_items, order.exchange_new_items = sorted(item_ids), sorted(new_item_ids)
        order.exchange_payment_method_id, order.exchange_price_difference = payment_method_id, difference
        return order

    # What the changes have in common.

    def _order_that_is(self, status: str, order_id: str, wanted: str) -> Order:
        order = self._order(order_id)
        if order.status != status:
            raise ShopError(f"non-{status} order cannot be {wanted}")
        return order

    def _swaps(self, order: Order, item_ids: Sequence[str], new_item_ids: Sequence[str]) -> list[Swap]:
        items = _items(order, item_ids)
        if len(item_ids) != len(new_item_ids):
            raise ShopError("the number of items to be exchanged should match")
        pairs = zip(items, new_item_ids, strict=True)
        return [(item, self._variant(item.product_id, new_id)) for item, new_id in pairs]

    def _variant(self, product_id: str, item_id: str) -> Variant:
        product = self.products.get(product_id)
        variant = product.variants.get(item_id) if product is not None else None
        if variant is None or not variant.available:
            raise ShopError(f"new item {item_id} not found or available")
        return variant

    def _payment_method(self, order: Order, payment_method_id: str) -> PaymentMethod:
        return _found(self._user(order.user_id).payment_methods, payment_method_id, "payment method")

    def _check_funds(self, order: Order, payment_method_id: str, amount: float) -> None:
        balance = self._payment_method(order, payment_method_id).balance
        if balance is not None and balance < amount:
            raise ShopError("insufficient gift card balance to pay for the price difference")

    def _pay(self, order: Order, payment_method_id: str, amount: float) -> None:
        """Book a payment, or for a negative amount a refund; a gift card's balance follows at once."""
        kind = "payment" if amount > 0 else "refund"
        order.payment_history.append(
            Payment(transaction_type=kind, amount=abs(amount), payment_method_id=payment_method_id)
        )
        user = self.users.get(order.user_id)
        method = user.payment_methods.get(payment_method_id) if user is not None else None
        if method is not None and method.balance is not None:
            method.balance = round(method.balance - amount, 2)


def _calculate(expression: str) -> float:
    try:
        return round(calculate(expression), 2)
    except ValueError as error:
        raise ShopError(str(error)) from error


def _found(entries: Mapping[Any, Entry], key: Any, what: str) -> Entry:
    if key not in entries:
        raise ShopError(f"{what} not found")
    return entries[key]


def _items(order: Order, item_ids: Sequence[str]) -> list[Item]:
    """The order's items of these ids; one that is asked for twice must be there twice."""
    left = list(order.items)
    found: list[Item] = []
    for item_id in item_ids:
        item = next((item for item in left if item.item_id == item_id), None)
        if item is None:
            raise ShopError(f"item {item_id} not found")
        left.remove(item)
        found.append(item)
    return found


def _difference(swaps: Sequence[Swap]) -> float:
    """What the new variants cost more than the items, rounded to cents."""
    return float(round(sum(new.price - old.price for old, new in swaps), 2))
