"""Lets people try again who, or whose address, had too many failed sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.accounts import activity_log
from core.accounts.operator_rows import lock_operators, record
from core.accounts.rules import Actor, Permission, counted_address, normalise_operator_name
from core.accounts.sign_in import forget_all_attempts, forget_attempts_from
from core.db.engine import transaction
from core.db.tables import Operator
from core.errors import N_, NotFound, Problem, problem, refuse_invalid
from core.text.ip_addresses import find_address


def unlock(by: Actor, name: str, *, now: datetime) -> int:
    """Forget the failed sign-ins of a name, and of the addresses where its owner has signed in lately, so
    that they may try again at once. Returns how many."""
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row = db.scalar(select(Operator).where(col(Operator.name) == normalise_operator_name(name)))
        if row is None:
            raise NotFound(N_("This user no longer exists."))
        count = forget_all_attempts(db, row.name, now)
        record(db, by, "operator.unlock", row, now)
        return count


def unlock_address(by: Actor, address: str, *, now: datetime) -> int:
    """Forget the failed sign-ins from an address (of IPv6: its network), whoever's they were. Returns how
    many."""
    refuse_invalid(_check_address(address))
    counted = counted_address(address)
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        count = forget_attempts_from(db, {counted})
        activity_log.record(db, by, "operator.unlock_address", now=now, subject=counted)
        return count


def _check_address(address: str) -> list[Problem]:
    if find_address(address) is not None:
        return []
    return [problem("address", N_("“{address}” is no IP address."), address=address[:64])]
