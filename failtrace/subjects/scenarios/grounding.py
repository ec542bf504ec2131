"""Answers that their evidence does not hold."""

from failtrace.capture.step import step
from failtrace.subjects.decorator import subject

_POLICY = (
    "The store on Harbour Street opens at 9:00 and closes at 18:00 on weekdays. "
    "Opened items are not refundable. Returns are accepted within 30 days of delivery."
)


def _answer(question: str, answer: str) -> str:
    with step("search the policy", kind="retrieval", query=question) as search:
        search.output = [_POLICY]
    with step("write the answer", kind="llm", attributes={"gen_ai.request.model": "scripted"}) as write:
        write.output = answer
    return answer


@subject(
    name="invented_number",
    version="1",
    timeout=10,
    output_model=str,
    example_inputs=["How long can I return an item?"],
)
def invented_number(question: str) -> str:
    """Gives a number of days that no document holds."""
    return _answer(question, "Returns are accepted within 90 days of delivery.")


@subject(
    name="invented_name",
    version="1",
    timeout=10,
    output_model=str,
    example_inputs=["Whom do I ask about a return?"],
)
def invented_name(question: str) -> str:
    """Names a person whom no document knows."""
    return _answer(question, "Returns are accepted within 30 days; please ask for Margaret Ellison at the store.")


@subject(
    name="contradicts_its_evidence",
    version="1",
    timeout=10,
    output_model=str,
    evidence=[_POLICY],
    example_inputs=["Can I return an opened item?"],
)
def contradicts_its_evidence(question: str) -> str:
    """Says the opposite of its evidence."""
    return _answer(question, "Opened items are refundable.")
