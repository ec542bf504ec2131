"""A recorded run as it stands in the input: messages in the order they were said, tool calls and their answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError


class MalformedConversation(ValueError):
    """The input is no recorded conversation; the message says where."""


class Function(BaseModel):
    """What the model wants called, its arguments as the JSON text it wrote."""

    name: str
    arguments: str


class ToolCall(BaseModel):
    """One call, with the id that its answer refers to."""

    id: str
    function: Function


class Message(BaseModel):
    """One message; only an assistant's has tool calls, only a tool's has a tool_call_id."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None


class RecordedCall(BaseModel):
    """A tool call and what its tool answered then; None where the recording has no answer."""

    call: ToolCall
    answer: str | None


class Conversation(BaseModel):
    """A whole run. Fields of the input that are not named here are left alone."""

    id: int | str
    trajectory: tuple[Message, ...] = Field(min_length=1)

    @classmethod
    def read(cls, value: Any) -> Conversation:
        """The conversation in an input. Raises MalformedConversation, naming the first place that is wrong."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the input"
            raise MalformedConversation(f"the input is no recorded conversation: {place}: {first['msg']}") from error

    def calls(self) -> Iterator[RecordedCall]:
        """Every tool call with its recorded answer, in the order they were made."""
        for message in self.trajectory:
            for call in message.tool_calls or ():
                yield self.recorded(call)

    def recorded(self, call: ToolCall) -> RecordedCall:
        """A call with the answer that the recording holds for it."""
        answers = (message.content for message in self.trajectory if message.tool_call_id == call.id)
        return RecordedCall(call=call, answer=next(answers, None))

    def replies(self) -> list[str]:
        """What the assistant told the customer, in order."""
        return [message.content for message in self.trajectory if message.role == "assistant" and message.content]


def as_json(text: str) -> Any:
    """A text as the JSON it holds; as itself where it holds none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
