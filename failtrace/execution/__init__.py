"""Execution: run one subject on one input, and leave the whole of it in a journal segment."""
