"""Which subjects there are, by name; filled by the decorator, FAILTRACE_SUBJECTS and entry points."""

import importlib
import threading
from collections.abc import Iterable
from importlib.metadata import entry_points

from failtrace.errors import SubjectError
from failtrace.subjects.subject import Subject

ENTRY_POINT_GROUP = "failtrace.subjects"


class Registry:
    """Subjects by name. A module that cannot be imported is a sentence in `problems`, never an error."""

    def __init__(self) -> None:
        self._subjects: dict[str, Subject] = {}
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each module that could not be imported."""
        return tuple(self._problems.values())

    def add(self, subject: Subject) -> None:
        """Register; the same source again replaces (a reload). Raises SubjectError where the name is taken."""
        with self._lock:
            known = self._subjects.get(subject.name)
            if known is not None and known.source != subject.source:
                raise SubjectError(
                    f"Cannot register {subject.source!r} as {subject.name!r}: {known.source!r} has that name; "
                    "give one of them another with @subject(name=…)."
                )
            self._subjects[subject.name] = subject

    def get(self, name: str) -> Subject | None:
        """The subject of that name."""
        return self._subjects.get(name)

    def subjects(self) -> tuple[Subject, ...]:
        """All, by name."""
        return tuple(sorted(self._subjects.values(), key=lambda subject: subject.name))

    def load(self, modules: Iterable[str]) -> None:
        """Import modules for the subjects they register, then every entry point of the group."""
        for module in modules:
            self._import(module, f"FAILTRACE_SUBJECTS names {module!r}")
        for entry in entry_points(group=ENTRY_POINT_GROUP):
            self._import(entry.module, f"The entry point {entry.name!r} names {entry.module!r}")

    def _import(self, module: str, who: str) -> None:
        try:
            importlib.import_module(module)
        # A user's module may raise anything at import, SystemExit included; the others must still load.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {error}"
            self._problems[module] = f"{who}, which cannot be imported ({reason}); mend the module or the name."
        else:
            self._problems.pop(module, None)


REGISTRY = Registry()
"""The process's one registry: decorators run at import, before anybody could hand them another."""
