"""Agents of several steps: one that passes, and two that raise from within."""

import asyncio
import logging
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, Field

from failtrace.capture.step import step
from failtrace.subjects.decorator import subject

_log = logging.getLogger("failtrace.scenarios")

_CITIES = {
    "Oslo": "Oslo is the capital of Norway and had 717,710 inhabitants in 2024.",
    "Bergen": "Bergen is the second largest city of Norway and had 291,940 inhabitants in 2024.",
}


class Question(TypedDict):
    """What the agents are asked."""

    city: str


class Answer(BaseModel):
    """What the agents promise to give."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)
    sources: list[str]


def _documents(question: Question) -> list[str]:
    return [_CITIES[question["city"]]]


@subject(
    name="agent_that_answers",
    version="1",
    timeout=10,
    output_model=Answer,
    evidence=_documents,
    example_inputs=[{"city": "Oslo"}],
)
def agent_that_answers(question: Question) -> Answer:
    """Plans, retrieves, counts and answers; every claim rests on what it retrieved."""
    with step("answer a question", kind="agent", question=question) as agent:
        with step("plan", kind="llm", attributes={"gen_ai.request.model": "scripted"}, prompt=question) as plan:
            plan.output = {"search": question["city"], "then": "count words"}
        with step("search", kind="retrieval", query=question["city"]) as search:
            search.output = _documents(question)
        _log.info("found %d document(s) about %s", 1, question["city"])
        with step("count words", kind="tool", text=_CITIES[question["city"]]) as count:
            count.output = len(_CITIES[question["city"]].split())
        with step("write the answer", kind="llm", attributes={"gen_ai.request.model": "scripted"}) as write:
            write.output = _CITIES[question["city"]]
        answer = Answer(text=_CITIES[question["city"]], sources=[question["city"]])
        agent.output = answer
    return answer


class OrderNotFound(LookupError):
    """The shop has no such order."""


@subject(
    name="exception_three_steps_deep",
    version="1",
    timeout=10,
    output_model=Answer,
    example_inputs=[{"order": "W-404"}],
)
def exception_three_steps_deep(request: dict[str, str]) -> Answer:
    """A tool raises from a KeyError, three steps below the surface."""
    with (
        step("handle the request", kind="agent", request=request),
        step("look the customer up", kind="chain"),
        step("query the shop", kind="tool", order=request["order"]),
    ):
        try:
            total = {"W-100": 25}[request["order"]]
        except KeyError as error:
            raise OrderNotFound(f"the shop has no order {request['order']}") from error
    return Answer(text=f"The total is {total}.", sources=[])


@subject(
    name="exception_group_from_tools",
    version="1",
    timeout=10,
    output_model=Answer,
    example_inputs=[{"city": "Oslo"}],
)
async def exception_group_from_tools(question: Question) -> Answer:
    """Two of three concurrent tools raise, and both are in the record."""
    ready = asyncio.Barrier(3)

    async def tool(name: str, error: Exception | None) -> None:
        with step(name, kind="tool", **question):
            await ready.wait()
            if error is not None:
                raise error

    with step("ask three services", kind="agent"):
        async with asyncio.TaskGroup() as tools:
            tools.create_task(tool("weather", ConnectionError("the weather service refused the connection")))
            tools.create_task(tool("traffic", ValueError("the traffic service answered with no JSON")))
            tools.create_task(tool("clock", None))
    return Answer(text="All is well.", sources=[])


@subject(
    name="fails_for_some_inputs",
    version="1",
    timeout=10,
    output_model=Answer,
    example_inputs=[{"city": "Oslo"}, {"city": "Bergen"}, {"city": "Atlantis"}],
)
def fails_for_some_inputs(question: Question) -> Answer:
    """Answers for the cities it knows and raises for the one it does not."""
    with step("search", kind="retrieval", query=question["city"]) as search:
        search.output = _documents(question)
    return Answer(text=_CITIES[question["city"]], sources=[question["city"]])
