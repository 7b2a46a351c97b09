"""Lets one `run` at a time use a data folder, and says which one does: by a lock that ends with its process,
and by a note of the processes it has started."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.db.file_lock import file_lock
from core.errors import N_, WrongState
from core.settings import settings

ENDING_SECONDS = 10.0  # a run that was killed takes its processes along within this
_PR_SET_PDEATHSIG = 1


@contextmanager
def only_run() -> Iterator[Path]:
    """The file for notes about this run. Raises WrongState while another run uses the data folder, or while
    processes that a former one left behind are alive."""
    folder = settings().data_dir
    note = folder / "run.json"
    with file_lock(folder / "run.lock") as is_alone:
        if not is_alone:
            pid = _read(note).get("pid", "?")
            raise WrongState(
                N_(
                    "Notify Once is already running with {folder}, as process {pid}. Use that one, or end it "
                    "first: kill {pid}"
                ),
                folder=folder,
                pid=pid,
            )
        _wait_for_left(note)
        write_note(note, [])
        try:
            yield note
        finally:
            with suppress(OSError):
                note.unlink(missing_ok=True)


def write_note(note: Path, children: list[int]) -> None:
    """Note this run and the processes it has started."""
    with suppress(OSError):  # a full disk must not keep the product from running
        started = {str(pid): _start_of(pid) for pid in children}
        note.write_text(json.dumps({"pid": os.getpid(), "children": started}))


def die_with_parent() -> None:
    """Make a new process end when the one that started it is gone, however that ended. Only Linux has this;
    elsewhere `only_run` names what was left behind."""
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_for_left(note: Path) -> None:
    until = time.monotonic() + ENDING_SECONDS
    while left := _left(note):
        if time.monotonic() > until:
            pids = " ".join(left)
            raise WrongState(
                N_("A former run has left processes behind, which still work here. End them: kill {pids}"),
                pids=pids,
            )
        time.sleep(0.1)


def _left(note: Path) -> list[str]:
    """The processes that the former run started and that are alive; their numbers may be others' by now."""
    known = _read(note).get("children", {})
    return [pid for pid, start in known.items() if start and start == _start_of(int(pid))]


def _start_of(pid: int) -> str:
    """When a process started, as the system counts; empty when it is gone, or where there is no /proc."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if parts[0] == "Z" else parts[19]
    except (OSError, IndexError):
        return ""


def _read(note: Path) -> dict[str, Any]:
    try:
        read = json.loads(note.read_text())
        return read if isinstance(read, dict) else {}
    except (OSError, ValueError):
        return {}
