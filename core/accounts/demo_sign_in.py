"""The demo's sign-in: an admin whose password is kept on this machine, so that every start can show it.

Once a real fanpage is connected the password must be changed at the next sign-in and is kept no more.
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
    """(name, password) to sign in to the demo with; no password when somebody has chosen their own."""
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
    """The installation serves a real fanpage now: whoever knows the demo's password must choose another."""
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
