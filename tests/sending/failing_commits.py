"""Commits that fail: the database may have taken them all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import pytest

from core.db.engine import engine


class Fate(StrEnum):
    WELL = "well"
    BEFORE = "before"  # it never took place
    AFTER = "after"  # it did, but nobody heard


@contextmanager
def fated(fate: Callable[[], Fate]) -> Iterator[None]:
    """Asked at each commit of a writer."""
    dialect = engine().dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        decided = fate()
        if decided != Fate.BEFORE:
            commit(connection)
        if decided != Fate.WELL:
            raise dialect.dbapi.OperationalError("made up: lost while committing")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "do_commit", do_commit)
        yield
