"""Which columns of a list each operator wants to see."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from core.accounts.authorising import NO_FANPAGE, authorise
from core.accounts.rules import Actor, Permission
from core.db.engine import reading, transaction
from core.db.tables import ListColumns


def chosen_columns(operator_id: int | None, list_name: str) -> frozenset[str] | None:
    """The keys of the columns that somebody chose for a list; None: they never chose."""
    with reading() as db:
        row = _find(db, operator_id, list_name)
        return None if row is None else frozenset(row.columns)


def choose_columns(by: Actor, list_name: str, columns: Collection[str], *, now: datetime) -> None:
    """Remember which columns somebody wants to see in a list."""
    with transaction() as db:
        authorise(db, by, Permission.VIEW, NO_FANPAGE, now=now)
        row = _find(db, by.id, list_name) or ListColumns(operator_id=by.id or 0, list_name=list_name)
        row.columns = sorted(columns)
        db.add(row)


def _find(db: Session, operator_id: int | None, list_name: str) -> ListColumns | None:
    return db.get(ListColumns, (operator_id or 0, list_name))
