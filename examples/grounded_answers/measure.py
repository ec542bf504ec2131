"""How good is the grounding detector on labelled answers? `python -m examples.grounded_answers.measure FILE.jsonl`.

A line of the file has `evidence` (texts), `text` (the answer), `supported` (true or false) and maybe `context`. The
positive class is an unsupported answer; one the detector abstains on counts as not flagged.
"""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from failtrace.contracts import UnsupportedClaim, Verdict, VerdictStatus
from failtrace.detection.grounding import EvidenceText, judge


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer: was it unsupported, and what did the detector say of it?"""

    unsupported: bool
    status: VerdictStatus
    score: float
    """The highest score among its flagged claims; 0 where none is flagged."""
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The measures, as fractions of 1; None where there is nothing to divide by."""

    answers: int
    unsupported: int
    flagged: int
    abstained: int
    precision: float | None
    recall: float | None
    f1: float | None
    balanced_accuracy: float | None
    auc: float | None
    p95_ms: float


def judge_line(line: str) -> Judged:
    """One line of the file through the detector."""
    row = json.loads(line)
    evidence = [EvidenceText(text, f"evidence[{index}]") for index, text in enumerate(row["evidence"])]
    started = time.perf_counter()
    verdict = judge(row["text"], evidence, row.get("context") or "")
    elapsed_ms = (time.perf_counter() - started) * 1000
    return Judged(not row["supported"], verdict.status, _top_score(verdict), elapsed_ms)


def figures(judged: Sequence[Judged]) -> Figures:
    """The measures of a set of answers, which must not be empty."""
    unsupported = [answer for answer in judged if answer.unsupported]
    supported = [answer for answer in judged if not answer.unsupported]
    flagged = [answer for answer in judged if answer.status is VerdictStatus.FAILED]
    caught = sum(answer.unsupported for answer in flagged)
    precision = _ratio(caught, len(flagged))
    recall = _ratio(caught, len(unsupported))
    passed = _ratio(len(supported) - (len(flagged) - caught), len(supported))
    return Figures(
        answers=len(judged),
        unsupported=len(unsupported),
        flagged=len(flagged),
        abstained=sum(answer.status is VerdictStatus.ABSTAINED for answer in judged),
        precision=precision,
        recall=recall,
        f1=_ratio(2 * caught, len(flagged) + len(unsupported)),
        balanced_accuracy=None if recall is None or passed is None else (recall + passed) / 2,
        auc=_auc([answer.score for answer in unsupported], [answer.score for answer in supported]),
        p95_ms=sorted(answer.elapsed_ms for answer in judged)[int(len(judged) * 0.95)],
    )


def _top_score(verdict: Verdict) -> float:
    return max((found.score for found in verdict.evidence if isinstance(found, UnsupportedClaim)), default=0.0)


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """How often an unsupported answer scores above a supported one; equal scores count half."""
    pairs = len(positive) * len(negative)
    won = sum((mine > theirs) + (mine == theirs) / 2 for mine in positive for theirs in negative)
    return _ratio(won, pairs)


def main(arguments: Iterable[str]) -> int:
    """Write the figures of each file. Gives the exit status."""
    paths = [Path(argument) for argument in arguments]
    if not paths:
        sys.stderr.write("Name at least one file: python -m examples.grounded_answers.measure FILE.jsonl\n")
        return 2
    for path in paths:
        measured = figures([judge_line(line) for line in path.read_text("utf-8").splitlines() if line.strip()])
        shown = {
            name: f"{value:.3f}" if isinstance(value, float) else value for name, value in asdict(measured).items()
        }
        sys.stdout.write("\n".join([path.name, *(f"  {name:18} {value}" for name, value in shown.items())]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
