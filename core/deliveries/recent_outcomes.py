"""Keeps what the breaker looks at: a row per fanpage, per broadcast and for a fanpage's answers by PSID.

Written with the settle, so that nothing has to be searched for among a million deliveries. The rows are
locked after all others, in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, replace
from enum import StrEnum
from functools import cache

from sqlalchemy import ColumnElement, select, tuple_
from sqlmodel import Session, col

from core.db import bulk
from core.db.tables import RecentOutcomes
from core.deliveries import breaker
from core.deliveries.breaker import Recent, Refusal


class Scope(StrEnum):
    BROADCAST = "broadcast"
    FANPAGE = "fanpage"
    REPLIES = "replies"


Key = tuple[str, int]  # scope, and the id of the broadcast or fanpage
_COLUMNS = bulk.columns_of(RecentOutcomes, "scope", "ref_id", "outcomes", "refusals")


def note(db: Session, ended: Mapping[Key, Sequence[Refusal | None]]) -> dict[Key, Recent]:
    """Add these outcomes to the rows of their keys, each key's in their order; None was accepted. Returns the
    recent outcomes, these included, of each key that has a refusal among the new ones."""
    rows = [(*key, len(ended[key]), "[]") for key in sorted(ended) if ended[key]]
    if rows:
        _adding().run(db, bulk.bound(rows))
    worse = sorted(key for key, some in ended.items() if any(some))
    return {key: _note(db, key, ended[key]) for key in worse}


def recent(db: Session, key: Key) -> Recent:
    """The recent outcomes of a key; without a row there are none."""
    wanted = select(col(RecentOutcomes.outcomes), col(RecentOutcomes.refusals)).where(*_of(key))
    outcomes, refusals = db.execute(wanted).one_or_none() or (0, [])
    return Recent(outcomes, tuple(Refusal(*each) for each in refusals), before=outcomes)


def as_recent(row: RecentOutcomes) -> Recent:
    """The recent outcomes that a row holds, as if all of them had just been added."""
    return Recent(row.outcomes, tuple(Refusal(*each) for each in row.refusals))


def start_anew(db: Session, fanpage_id: int, broadcast_ids: Collection[int]) -> None:
    """Count from nothing again for a fanpage and these broadcasts of it: a person lets them go on."""
    keys: list[Key] = [(Scope.FANPAGE, fanpage_id), (Scope.REPLIES, fanpage_id)]
    keys += [(Scope.BROADCAST, each) for each in broadcast_ids]
    theirs = tuple_(col(RecentOutcomes.scope), col(RecentOutcomes.ref_id)).in_([tuple(each) for each in keys])
    db.execute(bulk.remove(RecentOutcomes, theirs))


def forget_customer(db: Session, customer_id: int, fanpage_id: int, broadcast_ids: Collection[int]) -> None:
    """Replace a customer who is erased by 0 wherever these outcomes name them."""
    keys: list[Key] = [(Scope.FANPAGE, fanpage_id), (Scope.REPLIES, fanpage_id)]
    keys += [(Scope.BROADCAST, each) for each in broadcast_ids]
    for key in sorted(keys):
        row = db.get(RecentOutcomes, key, with_for_update=True)
        if row and any(refusal[-1] == customer_id for refusal in row.refusals):
            row.refusals = [[*each[:-1], 0] if each[-1] == customer_id else each for each in row.refusals]
    db.flush()


def _note(db: Session, key: Key, ended: Sequence[Refusal | None]) -> Recent:
    counted = recent(db, key)  # with these already, and the row locked
    now = breaker.noted(replace(counted, outcomes=counted.outcomes - len(ended)), ended)
    kept = [list(astuple(each)) for each in now.refusals]
    db.execute(bulk.change(RecentOutcomes, *_of(key)).values(refusals=kept))
    return now


def _of(key: Key) -> tuple[ColumnElement[bool], ...]:
    return col(RecentOutcomes.scope) == key[0], col(RecentOutcomes.ref_id) == key[1]


@cache
def _adding() -> bulk.CompiledStatement:
    insert = bulk.insert_given(RecentOutcomes, _COLUMNS)
    together = col(RecentOutcomes.outcomes) + insert.excluded.outcomes
    return bulk.CompiledStatement(
        insert.on_conflict_do_update(index_elements=["scope", "ref_id"], set_={"outcomes": together})
    )
