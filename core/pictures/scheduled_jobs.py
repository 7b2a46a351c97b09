"""Hands uploaded pictures over to Messenger, which then shows them without fetching them for each message.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/saving-assets
An attachment is known for 90 days; it is handed over again before that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update
from sqlmodel import col

from core.db.engine import reading, transaction
from core.db.tables import Fanpage, Picture
from core.encryption import CannotDecrypt
from core.errors import OperatorError
from core.messenger.client import GraphRefused, Messenger
from core.pictures.files import folder
from core.pictures.rules import media_type_of

RENEWED_AFTER = timedelta(days=80)
TRIED_AGAIN_AFTER = timedelta(minutes=10)
AT_ONCE = 5

log = structlog.get_logger(__name__)


def hand_over_pictures(messenger_for: Callable[[int], Messenger], *, now: datetime) -> int:
    """Hand over a few pictures that Messenger does not have. Returns how many it took. It makes HTTP calls,
    so no transaction may be open."""
    taken = 0
    for name, fanpage_id in _waiting(now):
        values: dict[str, Any] = {"tried_at": now}
        try:
            data = _read(name)
            if data is not None:
                messenger = messenger_for(fanpage_id)
                attachment_id = messenger.upload_image(data, media_type_of(name))
                values |= {"attachment_id": attachment_id, "attached_at": now}
                taken += 1
        except GraphRefused as refused:
            log.warning("picture_refused", fanpage_id=fanpage_id, code=refused.failure.code)
        except (OperatorError, CannotDecrypt) as problem:  # this fanpage has no access token that works
            log.warning("picture_not_handed_over", fanpage_id=fanpage_id, error=type(problem).__name__)
        with transaction() as db:
            db.execute(update(Picture).where(col(Picture.name) == name).values(**values))
    return taken


def _read(name: str) -> bytes | None:
    """The picture's file, which is missing where the folder is not shared by all machines, or was lost."""
    try:
        return (folder() / name).read_bytes()
    except OSError as problem:
        log.error("picture_not_readable", file=str(folder() / name), said=problem.strerror)
        return None


def _waiting(now: datetime) -> list[tuple[str, int]]:
    with reading() as db:
        rows = db.execute(
            select(col(Picture.name), col(Picture.fanpage_id))
            .join(Fanpage, col(Fanpage.id) == col(Picture.fanpage_id))
            .where(
                col(Fanpage.stopped_code).is_(None),
                or_(col(Picture.attached_at).is_(None), col(Picture.attached_at) < now - RENEWED_AFTER),
                or_(col(Picture.tried_at).is_(None), col(Picture.tried_at) < now - TRIED_AGAIN_AFTER),
            )
            .order_by(col(Picture.id))
            .limit(AT_ONCE)
        )
        return [(name, fanpage_id) for name, fanpage_id in rows]
