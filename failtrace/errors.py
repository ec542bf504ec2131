"""What failtrace raises. One root; a leaf for each situation; every message is one full sentence.

    FailtraceError
    ├── SettingsError        a setting has a value that cannot be used
    ├── SubjectError         a subject cannot be found, loaded or sent to its process
    ├── InputError           an argument or a line of input cannot be used
    ├── ExecutionError       failtrace itself could not carry an execution through
    ├── StoreError           the store or the mirror cannot be opened, read or written
    │   ├── DamagedMirror    the mirror file is damaged, or no mirror
    │   ├── FailureIdTaken   a failure_id already names another execution
    │   ├── UnreadableRecord a stored record is damaged, or of a newer schema_version
    │   └── NoAnswer         the store did not answer in time; what was asked for may be there
    ├── NotAllowed           who asks may look, but not do this
    └── RecordNotFound       no record has this id

A subject's failure is never one of these: it is a FailureEvent, a value.
"""


class FailtraceError(Exception):
    """The root: what was tried, on what, and what to do next, in one sentence."""


class SettingsError(FailtraceError):
    """A setting has a value that cannot be used."""


class SubjectError(FailtraceError):
    """A subject cannot be found, loaded or sent to its process."""


class InputError(FailtraceError):
    """An argument or a line of input cannot be used."""


class ExecutionError(FailtraceError):
    """failtrace itself could not carry an execution through."""


class StoreError(FailtraceError):
    """The store or the mirror cannot be opened, read or written."""


class DamagedMirror(StoreError):
    """The mirror's file is damaged, or no SQLite database at all."""


class FailureIdTaken(StoreError):
    """A failure_id already names another execution."""


class UnreadableRecord(StoreError):
    """A stored record is damaged, or written by a newer version of failtrace."""


class NoAnswer(StoreError):
    """The store did not answer in time; what was asked for may be there."""


class NotAllowed(FailtraceError):
    """Who asks may look, but not do this."""


class RecordNotFound(FailtraceError):
    """No record has this id."""
