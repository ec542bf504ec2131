"""What is read out of a record's texts: frames, stacks, ways to die, contradictions."""

import signal
import sys
import traceback

import pytest

from failtrace import run_with_failure_detection
from failtrace.analysis.claims import is_contradicted
from failtrace.analysis.endings import how_it_died, is_ours
from failtrace.analysis.frames import frames_of, place_of, stacks_of
from failtrace.contracts import Crashed, DeadlineExceeded, Termination, UnsupportedClaim
from failtrace.detection.grounding.detector import DETECTOR, EvidenceText, judge
from failtrace.subjects.hostile import HOSTILE
from failtrace.subjects.registry import REGISTRY

DUMP = """Timeout (0:00:00.500000)!
Thread 0x00007fa176dc7b80 [pool-1] (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 320 in wait
  File "/srv/venv/lib/python3.11/site-packages/httpx/_client.py", line 10 in send

Task Task-1 (most recent call last):
  File "/srv/shop/main.py", line 9, in answer
  File "/srv/shop/orders.py", line 42, in ask the shop
Current thread 0x0000000000000bb0 (most recent call first):
  File "/srv/shop/main.py", line 3 in loop
"""


def test_a_traceback_gives_its_frames_with_their_lines() -> None:
    """File, line, function and source of each frame must be those that Python printed."""
    try:
        int("no number")
    except ValueError:
        told = traceback.format_exc()
    frames = frames_of(told)

    assert [(frame.file, frame.function) for frame in frames] == [
        (__file__, "test_a_traceback_gives_its_frames_with_their_lines")
    ]
    assert frames[0].source.splitlines()[0] == 'int("no number")'
    assert place_of(told) == frames[0]
    assert frames_of("no traceback at all") == ()
    assert place_of("") is None


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("/srv/shop/main.py", True),
        ("shop.py", True),
        (r"C:\shop\main.py", True),
        ("<stdin>", True),
        ("/srv/failtrace/subjects/scenarios/agents.py", True),
        ("/srv/venv/lib/python3.11/site-packages/httpx/_client.py", False),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", False),
        ("/usr/lib/python3.11/json/decoder.py", False),
        (r"C:\Python311\Lib\json\decoder.py", False),
        ("/srv/failtrace/execution/invoke.py", False),
        ("<frozen importlib._bootstrap>", False),
    ],
)
def test_the_users_own_code_is_told_from_libraries(file: str, own: bool) -> None:
    """Packages, the standard library and failtrace itself are not where a person looks first."""
    [frame] = frames_of(f'  File "{file}", line 3, in answer\n')

    assert frame.own is own


def test_the_place_is_the_innermost_frame_of_the_users_own() -> None:
    """A library's frame below must not hide the line that called it; without one of one's own, the innermost stands."""
    own = '  File "/srv/shop.py", line 3, in answer\n    get()\n    ~~~^^\n'
    library = '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n    raise it\n'

    place = place_of(f"Traceback (most recent call last):\n{own}{library}")

    assert place is not None
    assert (place.line, place.source) == (3, "get()\n~~~^^")
    assert [frame.line for frame in [place_of(library)] if frame] == [355]


def test_a_dump_gives_its_stacks_innermost_first() -> None:
    """Threads are dumped innermost first, tasks outermost first; those with one's own code come before the others."""
    stacks = stacks_of(DUMP)

    assert [stack.name for stack in stacks] == ["Task Task-1", "Current thread 0xbb0", "Thread 0x7fa176dc7b80 [pool-1]"]
    assert [stack.place.line if stack.place else None for stack in stacks] == [42, 3, None]
    assert stacks[0].frames[0].function == "ask the shop"
    assert stacks_of("") == ()


@pytest.mark.parametrize("name", ["hang_in_await", "hang_in_c_code", "hang_in_sleep"])
def test_the_stack_of_a_real_hang_names_its_function(name: str) -> None:
    """Whatever held a subject, the place found in its stacks must be in the subject's own function."""
    REGISTRY.load(())
    failure, _ = run_with_failure_detection(name, "x", timeout=0.5)
    assert failure is not None
    [late] = [item for item in failure.evidence if isinstance(item, DeadlineExceeded)]

    place = stacks_of(late.stacks)[0].place

    assert place is not None
    assert place.function == name


@pytest.mark.parametrize(
    "number", [number for number in signal.Signals if number.name in ("SIGSEGV", "SIGKILL", "SIGXCPU")]
)
def test_a_signal_is_told_in_words(number: signal.Signals) -> None:
    """A person who does not know signals must read what happened."""
    assert len(how_it_died(Termination(signal=number.name)).split()) > 5


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (Termination(signal="SIGKILL", out_of_memory=True), "ran out of memory"),
        (Termination(signal="SIGKILL", out_of_memory=None), "nobody could tell"),
        (Termination(signal="signal 44"), "ended by signal 44"),
        (Termination(exit_code=7), "os._exit"),
        (Termination(exit_code=137), "signal 9"),
        (Termination(), ""),
    ],
)
def test_a_death_is_told_as_far_as_it_is_known(end: Termination, words: str) -> None:
    """Memory counts before the signal, an exit code may stand for one, and what is unknown is not made up."""
    assert words in how_it_died(end)
    assert bool(how_it_died(end)) == bool(words)


@pytest.mark.skipif(sys.platform != "linux", reason="some limits are kept on Linux only")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("endless_output", "failtrace ended it for that, by SIGXCPU."),
        ("fork_bomb", "failtrace ended it for that, by SIGKILL."),
        ("segmentation_fault", "It touched memory that is not its own"),
    ],
)
def test_a_signal_of_failtraces_own_is_not_read_as_the_kernels(name: str, words: str) -> None:
    """A limit on output or processes is no limit on processor time, and nobody else ended what went beyond it."""
    subject = next((hostile.subject for hostile in HOSTILE if hostile.name == name), name)
    _, record = run_with_failure_detection(subject)

    assert isinstance(record.outcome, Crashed)
    end = record.outcome.termination
    assert how_it_died(end, ours=is_ours(end, record)).startswith(words)


@pytest.mark.parametrize(
    ("output", "evidence", "against"),
    [
        ("Opened items are refundable.", "Opened items are not refundable.", True),
        (
            "The shop in Harbour Street opened in 1998.",
            "The shop in Harbour Street opened in 2004. Its owner came to the town in 1998.",
            True,
        ),
        ("Please ask for Margaret Ellison.", "The store opens at nine.", False),
    ],
)
def test_a_contradiction_is_what_the_detector_found_to_be_one(output: str, evidence: str, against: bool) -> None:
    """The flag does not say it outright: how it is read must agree with the detector that wrote it."""
    verdict = judge(output, [EvidenceText(evidence, "evidence[0]")])
    claims = [item for item in verdict.evidence if isinstance(item, UnsupportedClaim)]

    assert [is_contradicted(claim, DETECTOR) for claim in claims][:1] == [against]
    assert not is_contradicted(claims[0], DETECTOR.model_copy(update={"name": "another"}))
