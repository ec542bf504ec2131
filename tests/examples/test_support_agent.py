"""The support agent: its sample through fresh processes and the store, and the shop's rules one by one."""

import json
from pathlib import Path
from typing import Any

import pytest

from examples.support_agent.arithmetic import calculate
from examples.support_agent.conversation import Conversation, MalformedConversation
from examples.support_agent.shop import Shop, ShopError
from examples.support_agent.stocking import stock
from examples.support_agent.subject import support_agent
from failtrace import FailureType, Runner, TraceRecord, TraceStore, run_with_failure_detection
from failtrace.inputs import JsonLines

SAMPLE = Path(__file__).parents[2] / "examples" / "support_agent" / "sample.jsonl"


def sample(name: str) -> dict[str, Any]:
    runs = (json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines())
    return next(run for run in runs if run["id"] == name)


def tools(record: TraceRecord) -> list[tuple[str, str, object]]:
    return [
        (step.name, step.status.value, step.attributes.get("replay.matches"))
        for step in record.steps
        if step.kind == "tool"
    ]


@pytest.fixture
def shop() -> Shop:
    """All the sample's runs show of the shop: one pending order, one delivered, one product."""
    both = sample("exchanged")["trajectory"] + sample("silent")["trajectory"]
    return stock(Conversation.read({"id": 0, "trajectory": both}))


def test_sample_is_recorded_with_each_kind_of_ending() -> None:
    """Every run of the sample is stored with the failure its README names, and can be opened by its id."""
    with TraceStore.open("memory") as store:
        report = Runner(store, workers=2).run([support_agent], JsonLines(SAMPLE))
        records = [store.get_trace(result.failure_id or result.trace_id) for result in report.results]

    endings = {record.input["id"]: record.failure and record.failure.failure_type for record in records if record}  # type: ignore[index,call-overload]

    assert report.stored == 4
    assert endings == {
        "cancelled": None,
        "exchanged": FailureType.HALLUCINATION_FLAG,
        "silent": FailureType.VALIDATION_ERROR,
        "torn": FailureType.EXCEPTION,
    }


def test_replay_calls_every_tool_for_real() -> None:
    """A refused call is a failed step and no failure; a cancelled order is changed in the shop."""
    failure, record = run_with_failure_detection(support_agent, sample("cancelled"), isolation="inline")

    assert failure is None
    assert tools(record) == [
        ("find_user_id_by_email", "error", True),
        ("find_user_id_by_name_zip", "unset", True),
        ("get_order_details", "unset", True),
        ("cancel_pending_order", "unset", True),
    ]
    assert [step.kind for step in record.steps[:3]] == ["agent", "llm", "llm"]
    assert {step.parent_id for step in record.steps[1:]} == {record.steps[0].step_id}
    cancelled = record.steps[-2].output
    assert isinstance(cancelled, dict)
    assert cancelled["status"] == "cancelled"
    assert record.output == {
        "replies": [
            "Gladly. Who are you, please? Your email address will do.",
            "Order #K-1001 is cancelled. The refund of $61.50 reaches your card in 5 to 7 business days.",
        ],
        "tools_called": [name for name, _, _ in tools(record)],
        "changed_order_ids": ["#K-1001"],
        "changed_user_ids": [],
        "differing_call_ids": [],
    }


def test_unsupported_promise_points_at_the_turn_that_made_it() -> None:
    """The invented date is the only claim flagged, and the failing step is the model's last turn."""
    failure, record = run_with_failure_detection(support_agent, sample("exchanged"), isolation="inline")

    assert failure is not None
    assert [item.text for item in failure.evidence if item.kind == "unsupported_claim"] == ["14 March 2031"]
    assert failure.step_id == record.steps[-1].step_id
    assert [matches for _, _, matches in tools(record)] == [True] * 7


def test_answer_that_differs_from_the_recording_is_told() -> None:
    """Where the shop refuses what the recording accepted, the step says so and keeps the recorded answer."""
    failure, record = run_with_failure_detection(support_agent, sample("silent"), isolation="inline")

    assert failure is not None
    assert [(item.location, item.rule) for item in failure.evidence if item.kind == "contract_violation"] == [
        ("replies", "too_short")
    ]
    last = record.steps[-1]
    assert last.error is not None
    assert (last.attributes["replay.matches"], last.error.message) == (False, "non-delivered order cannot be returned")
    assert "return requested" in str(last.attributes["replay.recorded"])
    assert record.output["differing_call_ids"] == ["call_silent_4"]  # type: ignore[index,call-overload]


MALFORMED = {
    "no-object": ([], "the input"),
    "no-trajectory": ({"id": 1}, "trajectory"),
    "empty": ({"id": 1, "trajectory": []}, "trajectory"),
    "role": ({"id": 1, "trajectory": [{"role": "pilot"}]}, "trajectory.0.role"),
    "call": ({"id": 1, "trajectory": [{"role": "assistant", "tool_calls": [{}]}]}, "trajectory.0.tool_calls.0.id"),
}


@pytest.mark.parametrize(("value", "place"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_conversation_is_the_subjects_failure(value: object, place: str) -> None:
    """An input that is no conversation fails as an exception that names the place."""
    failure, _ = run_with_failure_detection(support_agent, value, isolation="inline")

    assert failure is not None
    assert failure.error is not None
    assert failure.error.type.endswith(MalformedConversation.__name__)
    assert f": {place}: " in failure.error.message


def test_arguments_that_are_no_json_object_fail_the_call_alone() -> None:
    """A model that writes broken arguments gets an error to read; the replay goes on to its last word."""
    call = {"id": "c1", "function": {"name": "think", "arguments": "{thought"}}
    run = {
        "id": 7,
        "trajectory": [{"role": "assistant", "tool_calls": [call]}, {"role": "assistant", "content": "Sorry."}],
    }

    failure, record = run_with_failure_detection(support_agent, run, isolation="inline")

    assert failure is None
    assert tools(record) == [("think", "error", None)]
    assert record.output["replies"] == ["Sorry."]  # type: ignore[index,call-overload]


REFUSALS = {
    "unknown-tool": ("sell_the_shop", {}, "there is no tool"),
    "missing-argument": ("get_order_details", {}, "cannot take these arguments: order_id"),
    "wrong-type": ("get_order_details", {"order_id": ["#K-1001"]}, "cannot take these arguments"),
    "unknown-order": ("get_order_details", {"order_id": "#K-1"}, "order not found"),
    "reason": ("cancel_pending_order", {"order_id": "#K-1001", "reason": "bored"}, "cannot take these arguments"),
    "delivered": ("cancel_pending_order", {"order_id": "#K-1002", "reason": "no longer needed"}, "non-pending order"),
    "foreign-item": (
        "return_delivered_order_items",
        {"order_id": "#K-1002", "item_ids": ["i-anvil"], "payment_method_id": "card_77"},
        "item i-anvil not found",
    ),
    "count": (
        "exchange_delivered_order_items",
        {"order_id": "#K-1002", "item_ids": ["i-knife-beech"], "new_item_ids": [], "payment_method_id": "card_77"},
        "number of items",
    ),
    "sold-out": (
        "exchange_delivered_order_items",
        {
            "order_id": "#K-1002",
            "item_ids": ["i-knife-beech"],
            "new_item_ids": ["i-knife-horn"],
            "payment_method_id": "card_77",
        },
        "i-knife-horn not found or available",
    ),
    "address": ("modify_user_address", {"user_id": "ottilie_brandt_1", "city": "Oslo"}, "cannot take these arguments"),
    "code": ("calculate", {"expression": "__import__('os').getpid()"}, "not arithmetic"),
}


@pytest.mark.parametrize(("tool", "arguments", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refused_call_changes_nothing(shop: Shop, tool: str, arguments: dict[str, Any], message: str) -> None:
    """The shop refuses what its policy forbids, says why, and stays as it was."""
    before = (repr(shop.orders), repr(shop.users))

    with pytest.raises(ShopError, match=message):
        shop.call(tool, arguments)

    assert (repr(shop.orders), repr(shop.users)) == before


def test_gift_card_pays_and_is_refunded(shop: Shop) -> None:
    """The price difference of a modified order leaves the gift card at once, and too small a card is refused."""
    shop.orders["#K-1002"].status = "pending"
    swap = {"order_id": "#K-1002", "item_ids": ["i-knife-beech"], "new_item_ids": ["i-knife-walnut"]}

    order = shop.call("modify_pending_order_items", {**swap, "payment_method_id": "gift_9"})

    assert order["items"][0]["item_id"] == "i-knife-walnut"
    assert order["payment_history"][-1] == {
        "transaction_type": "payment",
        "amount": 7.25,
        "payment_method_id": "gift_9",
    }
    assert (
        shop.call("get_user_details", {"user_id": "ottilie_brandt_1"})["payment_methods"]["gift_9"]["balance"] == 12.75
    )
    shop.orders["#K-1001"].items[0].product_id = "p-knife"
    with pytest.raises(ShopError, match="insufficient gift card balance"):
        shop.call(
            "modify_pending_order_items",
            {
                "order_id": "#K-1001",
                "item_ids": ["i-strainer-steel"],
                "new_item_ids": ["i-knife-walnut"],
                "payment_method_id": "gift_9",
            },
        )


def test_return_goes_to_the_card_that_paid_or_to_a_gift_card(shop: Shop) -> None:
    """A refund may go to a gift card, and the order then waits for its items."""
    order = shop.call(
        "return_delivered_order_items",
        {"order_id": "#K-1002", "item_ids": ["i-knife-beech"], "payment_method_id": "gift_9"},
    )

    assert (order["status"], order["return_items"]) == ("return requested", ["i-knife-beech"])


def test_addresses_follow(shop: Shop) -> None:
    """A new address of a pending order and of its customer are two things."""
    address = {"address1": "1 Quay", "address2": "", "city": "Oslo", "state": "-", "country": "Norway", "zip": "0150"}

    order = shop.call("modify_pending_order_address", {"order_id": "#K-1001", **address})

    assert order["address"] == address
    assert shop.call("get_user_details", {"user_id": "ottilie_brandt_1"})["address"]["city"] == "Tilbury Falls"


SUMS = {"1+2*3": 7.0, "(1+2)*-3": -9.0, "41.25 - 34.00": 7.25, "7/2": 3.5}


@pytest.mark.parametrize(("expression", "value"), SUMS.items(), ids=SUMS.keys())
def test_calculate(expression: str, value: float) -> None:
    """The four operations bind as in arithmetic."""
    assert calculate(expression) == value


@pytest.mark.parametrize("expression", ["1/0", "2**9", "True", "a", "", "\0", "1e308*1e9", "(" * 400, "1" * 501])
def test_calculate_refuses(expression: str) -> None:
    """What is no finite arithmetic is a ValueError, whatever it is."""
    with pytest.raises(ValueError):
        calculate(expression)
