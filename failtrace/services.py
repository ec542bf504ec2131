"""The one wiring place: settings, registry, store and journal, put together for commands and pages."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from failtrace.errors import StoreError
from failtrace.recover import Recovery, find_in_journal, recover
from failtrace.settings import Settings
from failtrace.storage.trace_store import StoreKind, TraceStore
from failtrace.subjects.registry import REGISTRY, Registry
from failtrace.wording import count_of

_log = logging.getLogger("failtrace")


@dataclass(frozen=True, slots=True)
class Services:
    """What a command or a page works with."""

    settings: Settings
    store: TraceStore
    registry: Registry
    recovery: Recovery
    """What was found in the journal at this start."""
    undone: str = ""
    """Why the upkeep of a start could not be done, in a sentence; empty where it was."""
    mirror_file: tuple[int, int] | None = None
    """Device and inode of the mirror that was opened."""

    def is_outdated(self) -> bool:
        """Whether another file stands in the mirror's place by now, as after a rescue by another process.

        Where there is none, the one that was opened may come back.
        """
        found = _file_at(self.store.mirror.path)
        return found is not None and found != self.mirror_file

    def close(self) -> None:
        """Let go of the store and the mirror."""
        self.store.close()


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number, whoever owns it."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def load_registry(settings: Settings) -> Registry:
    """The registry with every subject that settings and entry points name."""
    REGISTRY.load(settings.subjects)
    return REGISTRY


def open_services(settings: Settings | None = None, *, store: StoreKind = "auto") -> Services:
    """Everything, open; abandoned executions recovered. Raises SettingsError or StoreError, one sentence.

    Where only the upkeep fails (the disk is full, or may not be written), whoever reads can go on: it is logged.
    """
    settings = settings or Settings.load()
    opened = TraceStore.open(store, settings=settings, journal_lookup=partial(find_in_journal, settings.journal_path))
    recovery, undone, mirror_file = Recovery(), "", _file_at(opened.mirror.path)
    try:
        try:
            recovery = recover(settings.journal_path, opened)
            if recovery.unreadable:
                aside = count_of(recovery.unreadable, "segment")
                _log.warning("Set aside %s of the journal that could not be read; see `failtrace doctor`.", aside)
            opened.mirror.mark_interrupted(is_alive)
            opened.retain()
        except StoreError as error:
            undone = str(error)
            _log.warning("%s", undone)
        return Services(settings, opened, load_registry(settings), recovery, undone, mirror_file)
    except BaseException:
        opened.close()
        raise


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
