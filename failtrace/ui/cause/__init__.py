"""Why an execution failed, one file for each kind of cause."""
