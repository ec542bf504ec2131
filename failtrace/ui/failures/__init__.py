"""The parts of the list of failures."""
