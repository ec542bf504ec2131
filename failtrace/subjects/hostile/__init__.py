"""Hostile subjects: what this installation must catch, so that a user can see that it does.

They are no registered subjects, so that nobody runs one by accident; `failtrace doctor --hostile` runs them all. Each
ends by itself, or is small enough, where a platform cannot keep a limit.
"""

from failtrace.subjects.hostile import appetites, ends, errors, secrets, surroundings, values
from failtrace.subjects.hostile.catalogue import HOSTILE, Hostile
from failtrace.subjects.hostile.healthy import HEALTHY

__all__ = ["HEALTHY", "HOSTILE", "Hostile", "appetites", "ends", "errors", "secrets", "surroundings", "values"]
