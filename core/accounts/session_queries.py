"""Reads sessions of operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from core.accounts.queries import OperatorView, operator_view
from core.accounts.rules import Actor
from core.accounts.session_rules import SESSION_LIFETIME, session_is_good
from core.db.engine import DATABASE_TROUBLE, reading
from core.db.tables import Operator, OperatorSession


@dataclass(frozen=True)
class SessionView:
    """A browser in which an operator is signed in."""

    id: int
    operator: OperatorView
    signed_in_at: datetime
    last_seen_at: datetime
    address: str
    browser: str

    @property
    def actor(self) -> Actor:
        """Who asks for a write in this session."""
        who = self.operator
        return Actor(
            who.id,
            who.name,
            who.role,
            self.signed_in_at,
            self.id,
            self.address,
            who.was_granted_exports,
            who.fanpage_ids,
        )


def find_session(key_hash: str, now: datetime) -> SessionView | None:
    """The session of a key by its hash; None when it has ended: too old, signed out, or disabled."""
    return _find(col(OperatorSession.key_hash) == key_hash, now)


def find_session_by_id(session_id: int, now: datetime) -> SessionView | None:
    """The session of an id; None when it has ended."""
    return _find(col(OperatorSession.id) == session_id, now)


def _find(one: ColumnElement[bool], now: datetime) -> SessionView | None:
    with reading() as db:
        wanted = select(OperatorSession, Operator).join(
            Operator, col(Operator.id) == col(OperatorSession.operator_id)
        )
        found = db.execute(wanted.where(one)).first()
        if found is None:
            return None
        session, operator = found
        good = session.is_kept and _is_open(session, operator, now)
        return _view(session, operator) if good else None


def is_open(key_hash: str, now: datetime) -> bool:
    """Whether a session still is. While the database does not answer nobody can say, nor read anything."""
    try:
        return find_session(key_hash, now) is not None
    except DATABASE_TROUBLE:
        return True


def list_sessions(operator_id: int, now: datetime) -> list[SessionView]:
    """An operator's open sessions, the one seen last first."""
    with reading() as db:
        operator = db.get(Operator, operator_id)
        return [_view(row, operator) for row in _open_sessions(db, operator, now)] if operator else []


def has_open_session(db: Session, operator: Operator, now: datetime) -> bool:
    """Whether an operator is signed in anywhere, in the transaction of whoever asks."""
    return bool(_open_sessions(db, operator, now))


def _open_sessions(db: Session, operator: Operator, now: datetime) -> list[OperatorSession]:
    wanted = select(OperatorSession).where(
        col(OperatorSession.operator_id) == operator.id,
        col(OperatorSession.is_kept),
        col(OperatorSession.signed_in_at) > now - SESSION_LIFETIME,
    )
    rows = db.scalars(wanted.order_by(col(OperatorSession.last_seen_at).desc()))
    return [row for row in rows if _is_open(row, operator, now)]


def _is_open(session: OperatorSession, operator: Operator, now: datetime) -> bool:
    if session.ended_at is not None or operator.disabled_at is not None:
        return False
    return session_is_good(session.signed_in_at, operator.sessions_valid_after, now)


def _view(session: OperatorSession, operator: Operator) -> SessionView:
    return SessionView(
        id=session.id or 0,
        operator=operator_view(operator),
        signed_in_at=session.signed_in_at,
        last_seen_at=session.last_seen_at,
        address=session.address,
        browser=session.browser,
    )
