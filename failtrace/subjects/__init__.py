"""Subjects: what they are, where they come from, and the deterministic demonstration ones."""
