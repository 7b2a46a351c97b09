"""Refuses to begin anew where an installation has been: its key is there, and its database is empty."""

from __future__ import annotations

from core.db.engine import sqlite_file
from core.errors import N_, OperatorError
from core.settings import secret_file, settings
from core.settings_sources import HOME


def refuse_lost_database() -> None:
    """Raise OperatorError when an empty SQLite database lies beside a key that was used. The first start of
    an installation makes the database before the key."""
    key = secret_file()
    if settings().is_postgresql or not key.exists():
        return
    usual = HOME / "data" / "otn.db"
    elsewhere = usual if usual != sqlite_file() and usual.exists() and usual.stat().st_size else None
    raise OperatorError(
        N_(
            "{file} is empty, but {key} has been used: the database was lost, or copied without "
            "its write-ahead log.{hint} Put the database back, or restore a backup: python -m core "
            "restore FILE. Only to begin again with nothing: move {key} away first."
        ),
        file=sqlite_file(),
        key=key,
        hint=f" There is one at {elsewhere}: name it by OTN_DATABASE_URL, or move it here."
        if elsewhere
        else "",
    )
