"""The fanpages' own pictures, as their customers' phones show them: fetched by the worker once a day."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.db.engine import reading, transaction
from core.db.tables import Fanpage, FanpagePicture
from core.encryption import CannotDecrypt
from core.errors import OperatorError
from core.fanpages.connection import messenger_for
from core.messenger.client import GraphRefused
from core.messenger.fanpage_picture import SIDE, fetch_picture
from core.pictures.files import draw_anew
from core.pictures.rules import media_type_of

FETCHED_EVERY = timedelta(days=1)
TRIED_AGAIN_AFTER = timedelta(minutes=10)
AT_ONCE = 5

log = structlog.get_logger(__name__)
_EXPECTED = GraphRefused, OperatorError, CannotDecrypt, OSError, ValueError  # the last: no address


def picture_of(fanpage_id: int) -> str:
    """The picture as a data: address; empty when the fanpage has none."""
    with reading() as db:
        kept = db.get(FanpagePicture, fanpage_id)
    return kept.address if kept else ""


def fetch_due_pictures(*, now: datetime) -> int:
    """Fetch the pictures of a few of the fanpages whose turn it is. Returns how many answered. It makes HTTP
    calls, so no transaction may be open."""
    answered = 0
    for fanpage_id in _due(now):
        try:
            uploaded = fetch_picture(messenger_for(fanpage_id))
            address = _as_address(uploaded) if uploaded else ""
        except Exception as problem:  # whatever one answers, the others' turn comes
            say = log.info if isinstance(problem, _EXPECTED) else log.exception
            say("fanpage_picture_not_fetched", fanpage_id=fanpage_id, error=type(problem).__name__)
            with transaction() as db:
                _keep(db, fanpage_id, None, due_at=now + TRIED_AGAIN_AFTER)
            continue
        with transaction() as db:
            _keep(db, fanpage_id, address, due_at=now + FETCHED_EVERY)
        answered += 1
    return answered


def _due(now: datetime) -> list[int]:
    due_at = col(FanpagePicture.due_at)
    statement = (
        select(col(Fanpage.id))
        .outerjoin(FanpagePicture, col(FanpagePicture.fanpage_id) == col(Fanpage.id))
        .where(col(Fanpage.stopped_code).is_(None), col(Fanpage.token_sealed).is_not(None))
        .where(or_(due_at.is_(None), due_at <= now))
        .order_by(due_at.is_not(None), due_at, col(Fanpage.id))  # new ones first on both databases
        .limit(AT_ONCE)
    )
    with reading() as db:
        return [fanpage_id or 0 for fanpage_id in db.scalars(statement)]


def _keep(db: Session, fanpage_id: int, address: str | None, *, due_at: datetime) -> None:
    """Keep a picture (None: the one from before), and when it is fetched again."""
    row = db.get(FanpagePicture, fanpage_id) or FanpagePicture(fanpage_id=fanpage_id, due_at=due_at)
    row.due_at = due_at
    row.address = row.address if address is None else address
    db.add(row)


def _as_address(uploaded: bytes) -> str:
    """Raises Invalid when it is no picture."""
    drawn = draw_anew(uploaded, longest_side=SIDE)
    return f"data:{media_type_of(f'.{drawn.ending}')};base64,{b64encode(drawn.data).decode()}"
