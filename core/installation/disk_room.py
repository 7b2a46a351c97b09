"""Looks after the room on the disks of the data folder and of the backups, before there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress

from core.errors import N_
from core.settings import settings

LOW_MB = 500  # a night's backup of a small shop, its log and the logs of the processes find room in that


def problems() -> Iterator[tuple[str, dict[str, object]]]:
    """A sentence, and what stands in it, for each disk that will soon be full."""
    told = set()
    for folder in (settings().data_dir, settings().backup_folder):
        with suppress(OSError):  # a folder that is not there yet, or not to be read
            free = shutil.disk_usage(folder).free // 1_000_000
            disk = folder.stat().st_dev
            if free < LOW_MB and disk not in told:
                told.add(disk)
                yield LOW, {"folder": folder, "free": free}


LOW = N_(
    "The disk with {folder} has only {free} MB left. Make room: once it is full, nothing is stored and "
    "nothing is sent."
)
