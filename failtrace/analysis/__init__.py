"""Analysis: what failures have in common."""
