"""The subject: replay a recorded conversation, every message as a step, every tool call against the shop."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, Field

from examples.support_agent.conversation import Conversation, Message, RecordedCall, as_json
from examples.support_agent.shop import Shop, ShopError
from examples.support_agent.stocking import REFUSED, stock
from failtrace import step, subject


class Served(BaseModel):
    """What became of a conversation."""

    replies: list[str] = Field(min_length=1)
    """What the agent told the customer; the last one is what came of it."""
    tools_called: list[str]
    changed_order_ids: list[str]
    changed_user_ids: list[str]
    differing_call_ids: list[str]
    """Calls that the shop answered otherwise than the recording says."""


def told(conversation: Any) -> list[str]:
    """What an agent may rest on besides its tools: its policy, and what the customer said."""
    messages = Conversation.read(conversation).trajectory
    return [message.content for message in messages if message.role in ("system", "user") and message.content]


@subject(name="support_agent", version="1", timeout=10, output_model=Served, evidence=told)
def support_agent(conversation: Any) -> dict[str, Any]:
    """Replay a customer-service agent's recorded run against a shop in memory."""
    run = Conversation.read(conversation)
    shop = stock(run)
    before = copy.deepcopy(shop)
    tools_called: list[str] = []
    differing: list[str] = []
    with step("serve the customer", kind="agent", input={"conversation": run.id}) as agent:
        heard: Message | None = None
        for index, message in enumerate(run.trajectory):
            if message.role != "assistant":
                heard = message
                continue
            _say(index, heard, message)
            for call in message.tool_calls or ():
                tools_called.append(call.function.name)
                if _call(shop, run.recorded(call)) is False:
                    differing.append(call.id)
        served = {
            "replies": run.replies(),
            "tools_called": tools_called,
            "changed_order_ids": [key for key, order in shop.orders.items() if order != before.orders[key]],
            "changed_user_ids": [key for key, user in shop.users.items() if user != before.users[key]],
            "differing_call_ids": differing,
        }
        agent.output = served
    return served


def _say(index: int, heard: Message | None, said: Message) -> None:
    """One turn of the model: from the last thing it heard to what it said or wanted called."""
    heard_text = heard.content if heard is not None else None
    with step("reply", kind="llm", input=heard_text, attributes={"conversation.message": index + 1}) as reply:
        calls = [call.function.model_dump() for call in said.tool_calls or ()]
        reply.output = {"content": said.content, "tool_calls": calls} if calls else said.content


def _call(shop: Shop, recorded: RecordedCall) -> bool | None:
    """Call a tool for real; does the shop answer as recorded? None where the recording holds no answer."""
    function = recorded.call.function
    arguments = as_json(function.arguments)
    matches: bool | None = None
    # A refusal marks the step failed and is no exception of the agent's: it reads the answer and goes on.
    with suppress(ShopError), step(function.name, kind="tool", input=arguments) as tool:
        try:
            if not isinstance(arguments, dict):
                raise ShopError(f"{function.name} was called with {function.arguments!r:.80}, which is no JSON object")
            answer = tool.output = shop.call(function.name, arguments)
        except ShopError as error:
            answer = f"{REFUSED}: {error}"
            raise
        finally:
            if recorded.answer is not None:
                matches = _cents(answer) == _cents(as_json(recorded.answer))
                tool.set_attribute("replay.matches", matches)
                if not matches:
                    tool.set_attribute("replay.recorded", recorded.answer)
    return matches


def _cents(value: Any) -> Any:
    """The value with its numbers rounded to cents, so that 0.05 and 0.04999999999999716 are one amount."""
    if isinstance(value, dict):
        return {key: _cents(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cents(item) for item in value]
    return round(value, 2) if isinstance(value, float) else value
