"""Subjects that tell every text they are given wherever something can be told."""

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from opentelemetry import trace
from pydantic import BaseModel

from failtrace import step, subject

Texts = list[str]


class Answer(BaseModel):
    """What `answer` promises and does not give."""

    text: int


def _tell(texts: Texts) -> None:
    logger = logging.getLogger("talker")
    for number, text in enumerate(texts):
        os.environ[f"TALKER_{number}"] = text
        with step(f"ask with {text}"[:200], input=[text, {text: text}]) as asked:
            asked.set_attribute("told", text)
            asked.set_attribute(f"told.{number}", {"deep": [text]})
            asked.output = {"text": text, "bytes": text.encode(), "argv": ("run", text)}
        with trace.get_tracer("other").start_as_current_span("foreign") as span:
            span.set_attribute("told", text)
            span.add_event("told", {"text": text})
        logger.warning("refused: %s", text)
        print(text)
        print(text, file=sys.stderr)


@subject
def fail(texts: Texts) -> None:
    """Tells all, then raises with a note, a cause and a group."""
    _tell(texts)
    errors = []
    for text in texts:
        error = KeyError(text)
        error.add_note(text)
        errors.append(error)
    with step("with the environment", input=dict(os.environ)):
        cause = ConnectionError(" ".join(texts))
    raise ExceptionGroup(texts[0], errors) from cause


@subject(output_model=Answer)
def answer(texts: Texts) -> dict[str, Any]:
    """Breaks its contract with every text."""
    return {"text": texts, **{text: text for text in texts}}


@subject(evidence=lambda texts: [f"The answer is: {text}" for text in texts])
def claim(texts: Texts) -> str:
    """Claims what its evidence does not say, with every text."""
    return "\n".join(f"The committee of Paris met on 4 May 1911 and agreed on {text}." for text in texts)


@subject
def crash(texts: Texts) -> None:
    """Tells all, then dies."""
    _tell(texts)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


@subject(timeout=300)
def wait(told: dict[str, Any]) -> None:
    """Tells all, says so through a pipe, and never ends."""
    _tell(told["texts"])
    Path(told["ready"]).write_text("told")
    signal.pause()
