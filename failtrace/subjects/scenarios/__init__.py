"""Deterministic subjects, one for each way of failing, so that the first start has something true to show.

Importing the package registers them all; `EXPECTED` says what each must come to.
"""

from failtrace.subjects.scenarios import agents, contracts, crashes, grounding, hangs
from failtrace.subjects.scenarios.expected import EXPECTED, Expectation

__all__ = ["EXPECTED", "Expectation", "agents", "contracts", "crashes", "grounding", "hangs"]
