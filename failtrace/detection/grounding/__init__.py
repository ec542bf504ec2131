"""Grounding: which numbers, dates, names and quotations of an output does no evidence hold?

`detector.judge` is the way in. It reads an output as text (`values`), finds the claims in it (`claims`, from
`quantities`, `dates` and `names`), asks an index over the evidence (`evidence`) and looks for sentences
that contradict it (`contradiction`). No model, no network; the same input gives the same verdict.
"""

from failtrace.detection.grounding.detector import DETECTOR, context_text, judge, step_evidence
from failtrace.detection.grounding.evidence import EvidenceText
from failtrace.detection.grounding.values import output_text

__all__ = ["DETECTOR", "EvidenceText", "context_text", "judge", "output_text", "step_evidence"]
