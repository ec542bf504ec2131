"""Which steps of two records belong together, and where they first differ."""

from hypothesis import given
from hypothesis import strategies as st
from support.records import make_step

from failtrace.analysis.alignment import align, alike, in_words
from failtrace.contracts import StepStatus, TraceStep


@st.composite
def trees(draw: st.DrawFn) -> list[TraceStep]:
    """Steps of few names whose parents may be any of them, themselves, in a ring, or missing."""
    count = draw(st.integers(0, 14))
    parents = draw(st.lists(st.none() | st.integers(0, count + 1), min_size=count, max_size=count))
    return [
        make_step(
            draw(st.sampled_from("abc")),
            at,
            parent_id=None if parent is None else f"{parent + 1:016x}",
            output=draw(st.integers(0, 1)),
        )
        for at, parent in enumerate(parents)
    ]


@given(trees(), trees())
def test_each_step_stands_in_exactly_one_pair(left: list[TraceStep], right: list[TraceStep]) -> None:
    """None is lost and none doubled, whatever the trees are; both of a pair have one name."""
    pairs = align(left, right).pairs

    assert sorted(pair.left.sequence for pair in pairs if pair.left) == list(range(len(left)))
    assert sorted(pair.right.sequence for pair in pairs if pair.right) == list(range(len(right)))
    assert all(pair.left.name == pair.right.name for pair in pairs if pair.left and pair.right)
    assert all((pair.left is None) == (pair.answer == "right") for pair in pairs)


@given(trees())
def test_a_record_does_not_differ_from_itself(steps: list[TraceStep]) -> None:
    """Aligned with itself, every pair is the same, and there is no first difference."""
    found = align(steps, list(reversed(steps)))

    assert [pair.answer for pair in found.pairs] == ["same"] * len(steps)
    assert found.first_difference is None


@given(trees(), trees())
def test_swapped_sides_are_equally_different(left: list[TraceStep], right: list[TraceStep]) -> None:
    """What is only on the left one way is only on the right the other way."""
    one, other = align(left, right), align(right, left)

    assert (one.first_difference is None) == (other.first_difference is None)
    assert len([pair for pair in one.pairs if pair.answer == "left"]) >= 0
    assert {pair.answer for pair in one.pairs} <= {"same", "differs", "left", "right"}
    only = [[pair for pair in found.pairs if pair.left is None or pair.right is None] for found in (one, other)]
    assert (len(only[0]) - len(only[1])) % 2 == 0


def test_the_first_difference_is_the_innermost_of_its_branch() -> None:
    """An agent that differs because of a tool within it is not the cause: the tool is."""
    agent, plan = make_step("agent", 0), make_step("plan", 1, parent_id=f"{1:016x}")
    tool = make_step("tool", 2, parent_id=f"{1:016x}", output=[1, 2, 3])
    worse = tool.model_copy(update={"output": [], "status": StepStatus.ERROR})
    passed, failed = [agent, plan, tool], [agent.model_copy(update={"status": StepStatus.ERROR}), plan, worse]

    found = align(failed, passed)

    assert found.first_difference == 2
    assert found.pairs[2].differs_in == ("status", "output")
    assert in_words(found.pairs[2]) == "differs in status, output"


def test_an_added_step_shifts_no_other() -> None:
    """A retry in between is alone, and what follows it is still paired."""
    names = ["plan", "search", "answer"]
    left = [make_step(name, at) for at, name in enumerate(names)]
    right = [make_step(name, at) for at, name in enumerate(["plan", "retry", "search", "answer"])]

    answers = [pair.answer for pair in align(left, right).pairs]

    assert answers == ["same", "right", "same", "same"]


def test_many_children_are_paired_in_order() -> None:
    """Beyond a bound children are paired by place, and none is lost."""
    left = [make_step("a", at) for at in range(2_500)]
    right = [make_step("a", at) for at in range(2_600)]

    pairs = align(left, right).pairs

    assert len(pairs) == 2_600
    assert [pair.answer for pair in pairs[2_500:]] == ["right"] * 100


def test_a_chain_deeper_than_the_stack_is_aligned() -> None:
    """Agents may nest deeper than Python can recurse."""
    steps = [make_step("a", at, parent_id=f"{at:016x}" if at else None) for at in range(5_000)]

    assert align(steps, steps).pairs[-1].depth == 4_999


def test_addresses_of_objects_are_no_difference() -> None:
    """`<Shop at 0x7f…>` is the same shop; a short number in hex is a value."""
    assert alike({"shop": "<Shop at 0x7f00aa11bb22>"}, {"shop": "<Shop at 0x7fffffff0000>"})
    assert not alike("0x1f", "0x2f")
    assert not alike([1], [1.5])
