"""Looks after the room on the disks of the data folder and of the backups, before there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import N_
from core.installation.heartbeat import this_machine
from core.settings import settings

LOW_MB = 500  # a night's backup of a small shop, its log and the logs of the processes find room in that
ENOUGH_MB = LOW_MB * 3 // 2  # an alert ends there: a disk that wavers about LOW_MB is one matter


@dataclass(frozen=True)
class Disk:
    """A disk of this machine, by a folder of ours on it."""

    folder: Path
    free: int  # MB

    @property
    def values(self) -> dict[str, object]:
        """What stands in the sentence LOW."""
        return {"folder": self.folder, "machine": this_machine(), "free": self.free}


def list_disks() -> list[Disk]:
    """The disks of the data folder and of the backups, each once."""
    found: dict[int, Disk] = {}
    for folder in (settings().data_dir, settings().backup_folder):
        with suppress(OSError):  # a folder that is not there yet, or not to be read
            free = shutil.disk_usage(folder).free // 1_000_000
            found.setdefault(folder.stat().st_dev, Disk(folder, free))
    return list(found.values())


def problems() -> Iterator[tuple[str, dict[str, object]]]:
    """A sentence, and what stands in it, for each disk that will soon be full."""
    for disk in list_disks():
        if disk.free < LOW_MB:
            yield LOW, disk.values


LOW = N_(
    "The disk with {folder} on {machine} has only {free} MB left. Make room: once it is full, nothing is "
    "stored and nothing is sent."
)
