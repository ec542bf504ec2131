"""Answers that should rest on given evidence, through the grounding detector; see README.md."""
