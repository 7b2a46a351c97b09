"""Copies of uploaded pictures beside the backups of the database, which hold only their names.

A picture never changes once it is written, so one copy serves every backup in the same folder.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from core.backups.copying import open_file
from core.pictures.files import folder as live_folder
from core.pictures.rules import NAME

FOLDER = "otn-pictures"


def beside(backup: Path) -> Path:
    """The folder with the pictures of a backup."""
    return backup.parent / FOLDER


def copy_new(backup: Path) -> int:
    """Copy the pictures that are not beside this backup yet. Returns how many. Raises OSError."""
    return _copy_missing(live_folder(), beside(backup))


def put_back(backup: Path) -> int:
    """Copy the pictures beside a backup that this installation does not have. Returns how many."""
    return _copy_missing(beside(backup), live_folder())


def delete_unneeded(folder: Path) -> int:
    """Delete the copies that no backup in this folder names any more. Returns how many: none, if one of the
    backups cannot be read, or another file may be one."""
    if any(_may_be_backup(file) for file in folder.iterdir()):
        return 0
    try:
        needed = {name for file in folder.glob("*.db") for name in _named(file)}
    except sqlite3.Error:
        return 0
    unneeded = [path for path in _pictures(folder / FOLDER) if path.name not in needed]
    for path in unneeded:
        path.unlink(missing_ok=True)
    return len(unneeded)


def _copy_missing(source: Path, target: Path) -> int:
    there = {path.name for path in _pictures(target)}
    missing = [path for path in _pictures(source) if path.name not in there]
    if missing:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in missing:
        part = target / f".{path.name}.{os.getpid()}"
        try:
            shutil.copyfile(path, part)
            part.chmod(0o600)
            part.replace(target / path.name)
        except FileNotFoundError:
            continue  # it was deleted meanwhile, since nothing shows it
        finally:
            part.unlink(missing_ok=True)
    return len(missing)


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*") if NAME.fullmatch(path.name))


def _may_be_backup(file: Path) -> bool:
    """Whether this file may be a backup that somebody made under a name of their own."""
    is_known = file.suffix in (".db", ".db-wal", ".db-shm", ".db-journal") or file.name.startswith(".")
    return file.is_file() and not is_known


def _named(file: Path) -> list[str]:
    with closing(open_file(file, writes=False)) as opened:
        return [name for (name,) in opened.execute("SELECT name FROM picture")]
