"""Sessions of operators: a row for each browser that signed in, whose cookie holds the key to it.

A key is random and only its hash is kept, so no secret of the installation makes one. The panel talks over a
websocket, which cannot set a cookie: a sign-in gives a ticket, which the browser trades for the key, once.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.authorising import NO_FANPAGE, authorise
from core.accounts.rules import Actor, Permission
from core.accounts.session_rules import KEEP_SESSIONS, SEEN_EVERY, TICKET_LIFETIME
from core.db.engine import transaction
from core.db.tables import Operator, OperatorSession
from core.errors import N_, NotFound


def hash_of(key: str) -> str:
    """The hash by which a key or a ticket is found. Both are random, so a plain hash is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def begin_session(
    db: Session, operator_id: int, *, address: str, browser: str, now: datetime
) -> tuple[int, str]:
    """Begin a session of this operator. Returns its id and the ticket that the browser trades for a key."""
    ticket = secrets.token_urlsafe(32)
    db.execute(delete(OperatorSession).where(col(OperatorSession.signed_in_at) < now - KEEP_SESSIONS))
    row = OperatorSession(
        operator_id=operator_id,
        key_hash=hash_of(ticket),
        signed_in_at=now,
        last_seen_at=now,
        address=address[:64],
        browser=browser[:80],
    )
    db.add(row)
    db.flush()
    return row.id or 0, ticket


def trade_ticket(ticket: str, *, now: datetime) -> str | None:
    """The key of the session that this ticket is for; None for one that was traded, is old or unknown."""
    key = secrets.token_urlsafe(32)
    waiting = (
        col(OperatorSession.key_hash) == hash_of(ticket),
        col(OperatorSession.is_kept).is_(False),
        col(OperatorSession.ended_at).is_(None),
        col(OperatorSession.signed_in_at) > now - TICKET_LIFETIME,
    )
    kept = update(OperatorSession).where(*waiting).values(key_hash=hash_of(key), is_kept=True)
    with transaction() as db:
        found = db.execute(kept.returning(col(OperatorSession.id))).first()
    return key if found else None


def sign_out(by: Actor, *, now: datetime) -> None:
    """End the session by which an operator asks; their other ones go on."""
    with transaction() as db:
        authorise(db, by, Permission.VIEW, NO_FANPAGE, now=now, own_account=True)
        _end(db, by.session_id, now)
        activity_log.record(db, by, "operator.sign_out", now=now, subject_id=by.id, subject=by.name)


def end_session(by: Actor, session_id: int, *, now: datetime) -> None:
    """End one of one's own sessions, such as that of a telephone that is lost."""
    with transaction() as db:
        authorise(db, by, Permission.VIEW, NO_FANPAGE, now=now, own_account=True)
        row = db.get(OperatorSession, session_id)
        if row is None or row.operator_id != by.id:
            raise NotFound(N_("This session has already ended."))
        _end(db, session_id, now)
        activity_log.record(
            db, by, "operator.end_session", now=now, subject_id=by.id, subject=by.name, browser=row.browser
        )


def record_seen(session_id: int, *, now: datetime) -> None:
    """Keep when a session and its operator were last seen. Rows that are locked are skipped: the next page
    does it."""
    sessions = select(col(OperatorSession.id), col(OperatorSession.operator_id)).where(
        col(OperatorSession.id) == session_id, col(OperatorSession.last_seen_at) < now - SEEN_EVERY
    )
    with transaction() as db:
        found = db.execute(sessions.with_for_update(skip_locked=True)).first()
        if found is None:
            return
        db.execute(
            update(OperatorSession).where(col(OperatorSession.id) == session_id).values(last_seen_at=now)
        )
        free = select(col(Operator.id)).where(col(Operator.id) == found.operator_id)
        free = free.with_for_update(key_share=True, skip_locked=True)
        db.execute(update(Operator).where(col(Operator.id).in_(free)).values(last_seen_at=now))


def end_sessions_of(db: Session, operator_id: int, *, now: datetime) -> None:
    """End every session of an operator in the transaction of whoever asks."""
    theirs = col(OperatorSession.operator_id) == operator_id, col(OperatorSession.ended_at).is_(None)
    db.execute(update(OperatorSession).where(*theirs).values(ended_at=now))


def _end(db: Session, session_id: int | None, now: datetime) -> None:
    still = col(OperatorSession.id) == session_id, col(OperatorSession.ended_at).is_(None)
    db.execute(update(OperatorSession).where(*still).values(ended_at=now))
