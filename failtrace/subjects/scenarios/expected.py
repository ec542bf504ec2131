"""What each scenario must come to on each of its example inputs, whenever and wherever it runs."""

from dataclasses import dataclass

from failtrace.contracts import FailureType


@dataclass(frozen=True, slots=True)
class Expectation:
    """The failure of one execution; all None where it passes."""

    failure_type: FailureType | None
    step: str | None
    """Name of the failing step; None outside every step."""
    fingerprint: str | None


PASSES = Expectation(None, None, None)
EXPECTED: dict[str, tuple[Expectation, ...]] = {
    "agent_that_answers": (PASSES,),
    "contract_constraint": (Expectation(FailureType.VALIDATION_ERROR, None, "cdfa35fadbc4d8c8"),),
    "contract_extra_field": (Expectation(FailureType.VALIDATION_ERROR, None, "41efe3064938ddbd"),),
    "contract_field_missing": (Expectation(FailureType.VALIDATION_ERROR, None, "7a74e1f7f73e374e"),),
    "contract_wrong_type": (Expectation(FailureType.VALIDATION_ERROR, None, "84cec941d9eddeed"),),
    "contradicts_its_evidence": (Expectation(FailureType.HALLUCINATION_FLAG, "write the answer", "415211a6087fdfef"),),
    "exception_group_from_tools": (Expectation(FailureType.EXCEPTION, "weather", "7b3c3c481b1e611a"),),
    "exception_three_steps_deep": (Expectation(FailureType.EXCEPTION, "query the shop", "5b36a51a01211940"),),
    "exit_without_a_word": (Expectation(FailureType.EXCEPTION, "run the job", "49c3f6b478a8e630"),),
    "fails_for_some_inputs": (
        PASSES,
        PASSES,
        Expectation(FailureType.EXCEPTION, "search", "1daab8beebbf495d"),
    ),
    "hang_in_await": (Expectation(FailureType.TIMEOUT, "await the answer", "2a8f372b2ebc52f4"),),
    "hang_in_busy_loop": (Expectation(FailureType.TIMEOUT, "plan", "c5bedc01699f187f"),),
    "hang_in_c_code": (Expectation(FailureType.TIMEOUT, "add up", "53036e7e9b5c5293"),),
    "hang_in_sleep": (Expectation(FailureType.TIMEOUT, "call the model", "b04c1f14f918d803"),),
    "invented_name": (Expectation(FailureType.HALLUCINATION_FLAG, "write the answer", "eb0c28b17d58e3c6"),),
    "invented_number": (Expectation(FailureType.HALLUCINATION_FLAG, "write the answer", "c4ff1e6268eb8d70"),),
    "memory_limit_hit": (Expectation(FailureType.EXCEPTION, "load the corpus", "1671c90a6ab51791"),),
    "segmentation_fault": (Expectation(FailureType.EXCEPTION, "decode the image", "7ed83efa0f9dfd4f"),),
}
