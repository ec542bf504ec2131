"""Subjects whose process does not survive them."""

import ctypes
import os

from failtrace.capture.step import step
from failtrace.subjects.decorator import subject

_MEMORY_LIMIT = 128 * 1024 * 1024


@subject(name="segmentation_fault", version="1", timeout=10, output_model=str, example_inputs=["photo.png"])
def segmentation_fault(path: str) -> str:
    """Reads from address zero, as a broken extension module would."""
    with step("decode the image", kind="tool", path=path):
        ctypes.string_at(0)
    return path


@subject(name="exit_without_a_word", version="1", timeout=10, output_model=str, example_inputs=["job-1"])
def exit_without_a_word(job: str) -> str:
    """Leaves its process by os._exit."""
    with step("run the job", kind="chain", job=job):
        os._exit(7)
    return job


@subject(
    name="memory_limit_hit",
    version="1",
    timeout=10,
    output_model=int,
    memory_limit_bytes=_MEMORY_LIMIT,
    example_inputs=["corpus.txt"],
)
def memory_limit_hit(path: str) -> int:
    """Loads more than its memory limit allows."""
    with step("load the corpus", kind="tool", path=path):
        return len(bytearray(4 * _MEMORY_LIMIT))
