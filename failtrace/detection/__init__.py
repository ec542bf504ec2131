"""Detection: from what was captured to verdicts, a failure and a record."""
