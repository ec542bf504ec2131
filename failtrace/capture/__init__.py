"""Capture: what an execution does, written down while it does it."""
