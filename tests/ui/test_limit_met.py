"""A limit that was met, on the failure page: the sentence at its head says which, whatever the cause below it shows."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from support.records import item

from failtrace import run_with_failure_detection
from failtrace.mirror.mirror import Mirror
from failtrace.subjects.hostile import HOSTILE

OpenPage = Callable[..., AppTest]

SENTENCES = {
    "endless_computing": "of processor time; its limit is 0.5 s. The open step was 'compute'.",
    "endless_output": "bytes to stdout and stderr; its limit is 1,048,576. The open step was 'talk'.",
    "endless_steps": "The subject began step 1,001; its limit is 1,000 steps.",
    # What follows depends on whether a busy machine had the time to write its stacks.
    "hang_in_c_code": "Ended at its limit of 1 s",
    "memory_bomb": "MemoryError. The subject may allocate 67,108,864 bytes beyond what its process starts with.",
    "fork_bomb": "processes at once; its limit is 16. The open step was 'multiply'.",
}


@pytest.mark.skipif(sys.platform != "linux", reason="some limits are kept on Linux only")
@pytest.mark.parametrize("name", SENTENCES)
def test_the_failure_page_says_which_limit_was_met(name: str, mirror: Mirror, open_page: OpenPage) -> None:
    """From a real execution, stored and opened by its failure_id."""
    hostile = next(hostile for hostile in HOSTILE if hostile.name == name)
    failure, record = run_with_failure_detection(hostile.subject)
    assert failure is not None
    mirror.write([item(record)])

    page = open_page("failure", failure_id=failure.failure_id)

    assert not page.exception
    assert SENTENCES[name] in _head(page)["text"]


def _head(page: AppTest) -> Any:
    (head,) = [node for node in page.get("bidi_component") if node.proto.component_name == "failtrace.record"]
    return json.loads(head.proto.json)
