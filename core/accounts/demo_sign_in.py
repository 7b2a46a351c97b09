"""The admin of the demo, whose password is kept in a file so that every start can show it.

Once a real fanpage is connected, the file is deleted and the password must be changed at the next sign-in.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.actions import FIRST_ADMIN
from core.accounts.passwords import hash_password, password_matches
from core.accounts.rules import SYSTEM, Role
from core.db.engine import transaction
from core.db.tables import Operator
from core.settings import kept_secret, settings

_FILE = "demo-sign-in.secret"


def demo_sign_in(now: datetime) -> tuple[str, str | None]:
    """The name and password of the demo's admin; None for a password that somebody has changed."""
    password = kept_secret(_FILE)[:16]
    with transaction() as db:
        if db.scalar(select(col(Operator.id)).limit(1)) is None:
            db.add(
                Operator(
                    name=FIRST_ADMIN,
                    role=Role.ADMIN,
                    password_hash=hash_password(password),
                    sessions_valid_after=now,
                    created_at=now,
                )
            )
            activity_log.record(
                db, SYSTEM, "operator.add", now=now, subject=FIRST_ADMIN, role=Role.ADMIN.value
            )
            return FIRST_ADMIN, password
        return FIRST_ADMIN, password if _is_its_password(db, password) else None


def end_demo_sign_in() -> None:
    """Have the demo's password changed at the next sign-in, because the installation serves a
    real fanpage now."""
    path = settings().data_dir / _FILE
    if not path.exists():
        return
    password = kept_secret(_FILE)[:16]
    with transaction() as db:
        if _is_its_password(db, password):
            db.execute(
                update(Operator).where(col(Operator.name) == FIRST_ADMIN).values(must_change_password=True)
            )
    path.unlink()


def _is_its_password(db: Session, password: str) -> bool:
    return password_matches(
        password, db.scalar(select(col(Operator.password_hash)).where(col(Operator.name) == FIRST_ADMIN))
    )
