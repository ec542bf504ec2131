"""The parts of a failure's page: why it failed, its steps, everything else that was recorded."""
