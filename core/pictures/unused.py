"""Deletes the pictures that nothing shows any more: their files, and what Messenger calls them."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Text, cast, delete, select
from sqlmodel import Session, col

from core.conversation.rules import ReplyState
from core.db import bulk
from core.db.engine import transaction
from core.db.tables import Block, Broadcast, Message, MessageVersion, Picture, Reply, Template
from core.pictures.files import folder
from core.pictures.rules import NAME, UPLOADED

KEPT_FOR = timedelta(days=7)  # an upload that is not saved yet, or was taken out and may come back by Undo

_NAMED = re.compile(re.escape(UPLOADED) + f"({NAME.pattern})")
# Earlier versions count: they can be read and written on from. So do broadcasts that have ended.
_CONTENTS = (Block.content, Message.draft, MessageVersion.content, Broadcast.content, Template.content)
_WAITING = (ReplyState.QUEUED, ReplyState.SENDING)  # those that were sent have theirs from a version

log = structlog.get_logger(__name__)


def delete_unused_pictures(*, now: datetime) -> int:
    """Delete what was uploaded more than a week ago and that no message, version, broadcast, template or
    waiting reply shows, and files without a row. Returns how many pictures."""
    with transaction() as db:
        old = select(col(Picture.name)).where(col(Picture.created_at) < now - KEPT_FOR)
        names = set(db.execute(old).scalars())
        unused = names - _shown(db) if names else set()
        if unused:
            db.execute(delete(Picture).where(col(Picture.name).in_(sorted(unused))))
        known = set(db.execute(select(col(Picture.name))).scalars())
    _delete_files_but(known)
    if unused:
        log.info("pictures_deleted", pictures=len(unused))
    return len(unused)


def _shown(db: Session) -> set[str]:
    """The names of all pictures that something shows."""
    found = set[str]()
    waiting = bulk.one_of(col(Reply.state), list(_WAITING))
    for column, where in [*((each, None) for each in _CONTENTS), (Reply.body, waiting)]:
        text = cast(col(column), Text)
        statement = select(text).where(text.contains(UPLOADED))
        for written in db.execute(statement if where is None else statement.where(where)).scalars():
            found.update(_NAMED.findall(written))
    return found


def _delete_files_but(known: set[str]) -> None:
    """Delete the files of pictures that the database does not know. One that was just written has no row
    yet."""
    oldest = time.time() - KEPT_FOR.total_seconds()
    for path in folder().glob("*") if folder().is_dir() else ():
        if NAME.fullmatch(path.name) and path.name not in known:
            with suppress(OSError):  # another process was faster
                if path.stat().st_mtime < oldest:
                    path.unlink()
