"""Knows by its error that a disk is full."""

from __future__ import annotations

import errno
import os


def is_full(problem: BaseException) -> bool:
    """Whether a disk is full, that of the database or another: nothing of the transaction was stored."""
    original = getattr(problem, "orig", None) or problem
    return (
        getattr(original, "sqlite_errorname", "") == "SQLITE_FULL"
        or getattr(original, "sqlstate", None) == "53100"
        or getattr(original, "errno", None) == errno.ENOSPC
        or os.strerror(errno.ENOSPC) in str(original)  # of a connection that PostgreSQL cannot begin
    )
