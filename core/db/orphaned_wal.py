"""Refuses to open a SQLite file that is missing while its write-ahead log is there: SQLite would delete the
log, and with it what may be the only copy of the data."""

from __future__ import annotations

from pathlib import Path

from core.errors import N_, OperatorError


def refuse_orphaned_wal(file: Path) -> None:
    """Raise OperatorError for a log without its database."""
    log = file.with_name(f"{file.name}-wal")
    is_empty = not file.exists() or file.stat().st_size == 0
    if is_empty and log.exists() and log.stat().st_size > 0:
        raise OperatorError(
            N_(
                "{file} is missing or empty, but {log} holds data that belongs to it. Put both files back "
                "from where they were, or move {log} away and restore a backup: python -m core restore FILE"
            ),
            file=file,
            log=log,
        )
