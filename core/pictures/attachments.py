"""Uploaded pictures: whose they are, and what Messenger calls them."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.db.engine import reading
from core.db.tables import Picture
from core.pictures.files import find_file, folder
from core.pictures.rules import UPLOADED

REMEMBERED_SECONDS = 3600.0
ASK_AGAIN_SECONDS = 3.0  # about a picture that Messenger does not have yet

_known: dict[str, str] = {}
_asked_at: dict[str, float] = {}  # monotonic
_lock = threading.Lock()


def names_of(db: Session, fanpage_id: int, names: Collection[str]) -> set[str]:
    """The names among these that are pictures of this fanpage."""
    if not names:
        return set()
    mine = select(col(Picture.name)).where(
        col(Picture.fanpage_id) == fanpage_id, col(Picture.name).in_(names)
    )
    return set(db.execute(mine).scalars())


def lost_among(db: Session, names: Collection[str], *, attached: str | None) -> set[str]:
    """Those of these pictures that nobody can be shown any more: their file is gone, and Messenger has no
    copy of it. Only the one that goes as an attachment (`attached`) is shown from a copy."""
    gone = {name for name in names if find_file(name) is None}
    if attached in gone:
        copied = select(col(Picture.attachment_id)).where(col(Picture.name) == attached)
        gone -= {attached} if db.execute(copied).scalar_one_or_none() else set()
    return gone


def count_lost() -> int:
    """How many pictures this machine has no file of."""
    with reading() as db:
        names = set(db.execute(select(col(Picture.name))).scalars())
    return len(names - {path.name for path in folder().glob("*")})


def attachment_of(name: str) -> str | None:
    """What Messenger calls a picture that was handed over to it. It is remembered for an hour, since every
    message of a broadcast asks; Messenger forgets it after 90 days, so it is replaced before."""
    with _lock:
        found = _known.get(name)
        good_for = REMEMBERED_SECONDS if found else ASK_AGAIN_SECONDS
        if time.monotonic() - _asked_at.get(name, float("-inf")) < good_for:
            return found
        _asked_at[name] = time.monotonic()
    with reading() as db:
        asked = select(col(Picture.attachment_id)).where(col(Picture.name) == name)
        found = db.execute(asked).scalar_one_or_none()
    if found:
        with _lock:
            _known[name] = found
    return found


def with_names(message: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a message that was sent, with the uploaded picture in place of what Messenger calls it."""
    attachment = message.get("attachment") or {}
    attachment_id = (attachment.get("payload") or {}).get("attachment_id")
    if not attachment_id:
        return dict(message)
    with reading() as db:
        asked = select(col(Picture.name)).where(col(Picture.attachment_id) == str(attachment_id)).limit(1)
        name = db.execute(asked).scalar_one_or_none()
    shown = {"url": f"{UPLOADED}{name}"} if name else {}
    return {**message, "attachment": {**attachment, "payload": shown}}


def forget_known() -> None:
    """Forget what was remembered (tests begin with another database)."""
    with _lock:
        _known.clear()
        _asked_at.clear()
