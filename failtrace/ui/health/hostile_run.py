"""The one run of the hostile subjects that a server may have under way; every tab sees it, and none ends it."""

import threading
from contextlib import closing

from failtrace.errors import FailtraceError
from failtrace.hostile import run_hostile_apart


class HostileRun:
    """How far it is, and why it came to no end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.underway = False
        self.ended = 0
        """Subjects that have."""
        self.fault = ""
        """Of the last run; empty where it came to its end."""

    def start(self) -> None:
        """Start it, unless it is under way: two at once would disturb what they measure."""
        with self._lock:
            if self.underway:
                return
            self.underway, self.ended, self.fault = True, 0, ""
        threading.Thread(target=self._run, name="hostile", daemon=True).start()

    def _run(self) -> None:
        try:
            with closing(run_hostile_apart()) as told:
                for self.ended, _ in enumerate(told, start=1):
                    pass
        except (FailtraceError, OSError) as error:
            self.fault = str(error)
        finally:
            self.underway = False
