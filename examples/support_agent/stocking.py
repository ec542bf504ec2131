"""Stock a shop with what a recorded run shows of one: the state of everything when it was first seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from examples.support_agent.conversation import Conversation, MalformedConversation, as_json
from examples.support_agent.goods import Order, Product, User, Variant
from examples.support_agent.shop import Shop

REFUSED = "Error"
"""How a recorded answer begins when the tool refused."""

_PRODUCT_TYPES = TypeAdapter(dict[str, str])


def stock(conversation: Conversation) -> Shop:
    """A shop that knows what the run's reading tools told, each thing as it was told first.

    Raises MalformedConversation for a recorded answer that is no user, order or product.
    """
    shop = Shop()
    for recorded in conversation.calls():
        name, arguments = recorded.call.function.name, as_json(recorded.call.function.arguments)
        answer = recorded.answer
        if name not in _LEARN or answer is None or answer.startswith(REFUSED) or not isinstance(arguments, dict):
            continue
        try:
            _LEARN[name](shop, arguments, as_json(answer))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise MalformedConversation(
                f"the recorded answer of {name} cannot be read: {place}: {first['msg']}"
            ) from error
    _add_ordered_products(shop)
    return shop


def _add_ordered_products(shop: Shop) -> None:
    """A product that the run never looked up has the variants that its orders show, taken to be on sale still."""
    shown = set(shop.products)
    for item in (item for order in shop.orders.values() for item in order.items if item.product_id not in shown):
        unseen = Product(name=item.name, product_id=item.product_id, variants={})
        variants = shop.products.setdefault(item.product_id, unseen).variants
        variants[item.item_id] = Variant(item_id=item.item_id, options=item.options, available=True, price=item.price)


def _order(shop: Shop, arguments: dict[str, Any], answer: Any) -> None:
    shop.orders.setdefault(str(arguments.get("order_id")), Order.model_validate(answer))


def _user(shop: Shop, arguments: dict[str, Any], answer: Any) -> None:
    shop.users.setdefault(str(arguments.get("user_id")), User.model_validate(answer))


def _product(shop: Shop, arguments: dict[str, Any], answer: Any) -> None:
    shop.products.setdefault(str(arguments.get("product_id")), Product.model_validate(answer))


def _product_types(shop: Shop, arguments: dict[str, Any], answer: Any) -> None:  # noqa: ARG001  as the others
    shop.product_types.update(_PRODUCT_TYPES.validate_python(answer))


def _user_id(shop: Shop, arguments: dict[str, Any], answer: Any) -> None:
    told = (str(arguments[key]).lower() for key in ("email", "first_name", "last_name", "zip") if key in arguments)
    shop.user_ids.setdefault(tuple(told), str(answer))


_LEARN: dict[str, Callable[[Shop, dict[str, Any], Any], None]] = {
    "find_user_id_by_email": _user_id,
    "find_user_id_by_name_zip": _user_id,
    "get_order_details": _order,
    "get_product_details": _product,
    "get_user_details": _user,
    "list_all_product_types": _product_types,
}
