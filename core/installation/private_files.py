"""Keeps what lies in the data folder from the other users of this machine."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def make_files_private() -> None:
    """Let every file that this process makes from now on be its user's alone. Each process begins with it."""
    os.umask(0o077)


def close_folder(folder: Path) -> None:
    """Take the data folder, and the files that lie in it already, from everybody but their owner. What
    belongs to somebody else stays as it is; `.gitkeep` and its like are of no interest."""
    if not folder.is_dir():
        return
    for place, _folders, files in os.walk(folder):
        _set_mode(Path(place), FOLDER)
        for name in files:
            if not name.startswith(".git"):
                _set_mode(Path(place, name), FILE)


def _set_mode(path: Path, mode: int) -> None:
    with suppress(FileNotFoundError, PermissionError):
        if not path.is_symlink() and path.stat().st_mode & 0o777 & ~mode:
            path.chmod(mode)
