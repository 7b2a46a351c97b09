"""Checks the health of fanpages, by staff and by the clock, and stores what was found.

HTTP calls are made outside transactions.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func, or_, select, update
from sqlmodel import col

from core.conversation import entry_point_rows
from core.db.engine import reading, transaction
from core.db.tables import Event, Fanpage, SetUpConfirmation
from core.encryption import CannotDecrypt
from core.errors import OperatorError
from core.fanpages import health_check
from core.fanpages.connection import messenger_for
from core.fanpages.queries import FanpageView, get_fanpage
from core.fanpages.rules import HealthProblem
from core.installation import key_check
from core.installation.key_check import AnotherKey
from core.settings import settings

log = structlog.get_logger(__name__)

CHECKED_EVERY = timedelta(minutes=15)
FIRST_WEBHOOK_WITHIN = timedelta(hours=1)  # of a new fanpage; later silence is normal at a quiet one


def check_health(fanpage_id: int, *, now: datetime, take_over: bool = False) -> list[str]:
    """Check a fanpage, store what is wrong with it and return the codes (see `rules.PROBLEMS`). `take_over`
    replaces the Get Started button of another tool."""
    fanpage = get_fanpage(fanpage_id)
    found = _examine(fanpage, now, take_over=take_over)
    if not fanpage.is_demo and not settings().app_secret.get_secret_value():
        found.append(HealthProblem.NO_APP_SECRET)
    elif not found and _never_heard_of(fanpage, now):
        found.append(HealthProblem.NO_WEBHOOK_YET)
    store_problems(fanpage_id, found, now)
    return [str(code) for code in found]


def check_due_fanpages(*, now: datetime) -> dict[int, list[str]]:
    """Check a few of the fanpages that are due: called every fifteen seconds, it comes to each of them about
    every fifteen minutes, and hundreds of checks hold up no messages. Which of them is left to chance, so
    that one whose check fails each time does not keep the others waiting."""
    is_due = or_(col(Fanpage.checked_at).is_(None), col(Fanpage.checked_at) <= now - CHECKED_EVERY)
    with reading() as db:
        fanpages = db.scalar(select(func.count()).select_from(Fanpage)) or 0
        few = select(col(Fanpage.id)).where(is_due).order_by(func.random()).limit(max(3, fanpages // 50 + 1))
        ids = list(db.scalars(few))
    return check_all([fanpage_id or 0 for fanpage_id in ids], now=now)


def check_all(fanpage_ids: Collection[int] | None = None, *, now: datetime) -> dict[int, list[str]]:
    """Check these fanpages (None: all); one that cannot be checked does not keep the others waiting."""
    if fanpage_ids is None:
        with reading() as db:
            fanpage_ids = [row.id or 0 for row in db.scalars(select(Fanpage).order_by(col(Fanpage.id)))]
    found: dict[int, list[str]] = {}
    for fanpage_id in fanpage_ids:
        try:
            found[fanpage_id] = check_health(fanpage_id, now=now)
        except OperatorError as refused:
            log.warning("fanpage_check_failed", fanpage_id=fanpage_id, error=refused.code)
        except Exception as problem:  # a defect of ours; the others are checked all the same
            log.exception("fanpage_check_failed", fanpage_id=fanpage_id, error=type(problem).__name__)
    return found


def store_problems(fanpage_id: int, found: list[HealthProblem], now: datetime) -> None:
    """Store what a check has found. Who accepted a problem is forgotten with it: if it comes back, it is
    looked at again."""
    codes = [str(code) for code in found]
    gone = sorted(set(HealthProblem) - set(codes))
    page_id = select(col(Fanpage.page_id)).where(col(Fanpage.id) == fanpage_id).scalar_subquery()
    with transaction() as db:
        values = {"problems": codes, "checked_at": now}
        db.execute(update(Fanpage).where(col(Fanpage.id) == fanpage_id).values(values))
        db.execute(
            delete(SetUpConfirmation).where(
                col(SetUpConfirmation.scope) == page_id, col(SetUpConfirmation.code).in_(gone)
            )
        )


def _examine(fanpage: FanpageView, now: datetime, *, take_over: bool) -> list[HealthProblem]:
    if not fanpage.has_token:
        return [HealthProblem.NO_TOKEN]
    with reading() as db:
        fields = entry_point_rows.webhook_fields(db, fanpage.id)
    try:
        return health_check.examine(messenger_for(fanpage.id), fields, now=now, take_over=take_over)
    except CannotDecrypt:
        if key_check.is_another_key():  # then the fanpage is not what is wrong
            raise AnotherKey from None
        return [HealthProblem.TOKEN_SEALED]


def _never_heard_of(fanpage: FanpageView, now: datetime) -> bool:
    """Whether a fanpage has been connected for an hour and still no webhook has come in."""
    heard = select(col(Event.id)).where(col(Event.page_id) == fanpage.page_id).limit(1)
    waiting = select(col(Fanpage.id)).where(
        col(Fanpage.id) == fanpage.id, col(Fanpage.created_at) < now - FIRST_WEBHOOK_WITHIN
    )
    with reading() as db:
        return db.execute(waiting).first() is not None and db.execute(heard).first() is None
