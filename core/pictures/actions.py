"""What staff do with pictures: upload them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert

from core.accounts.authorising import authorise, authorise_early, of
from core.accounts.rules import Actor, Permission
from core.db.engine import transaction
from core.db.tables import Fanpage, Picture
from core.pictures.files import draw_anew, find_file, keep_file
from core.pictures.rules import UPLOADED


def add_picture(by: Actor, fanpage_id: int, uploaded: bytes, *, now: datetime) -> str:
    """Keep a picture for the messages of a fanpage. Returns what stands for it where an address would stand.
    Raises Invalid when it is no picture, or too large."""
    authorise_early(by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
    name = keep_file(draw_anew(uploaded))
    try:
        with transaction() as db:
            authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
            db.execute(insert(Picture).values(fanpage_id=fanpage_id, name=name, created_at=now))
    except BaseException:
        if path := find_file(name):
            path.unlink()
        raise
    return f"{UPLOADED}{name}"
