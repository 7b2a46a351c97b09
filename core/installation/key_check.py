"""One key for all processes: what another key seals, nobody opens again, and no token comes twice.

The first process of an installation leaves a keyed hash; whoever starts, or is about to seal, compares.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise
from core.accounts.rules import Actor, Permission
from core.customers import forgotten
from core.db import bulk
from core.db.engine import reading, transaction
from core.db.tables import Fanpage, KeyCheck, OptIn
from core.encryption import decrypt_all, lookup_hash
from core.errors import N_, Held, OperatorError
from core.settings import settings

PURPOSE = "key check"
_proven: set[tuple[str, str]] = set()  # databases and keys: asked once a process


class AnotherKey(OperatorError):
    code = "wrong_key"

    def __init__(self) -> None:
        super().__init__(
            N_(
                "OTN_SECRET_KEY (or data/secret.key) is not the key of this installation, so nothing is sent "
                "or taken in with it. Put back the key that the other processes use, or that was kept with "
                "the backup. Only if it is lost for good: python -m core accept-key"
            )
        )


def refuse_another_key() -> None:
    """AnotherKey when this process has one; the first process decides. Asks the database once."""
    mine = lookup_hash(PURPOSE)
    asked = (settings().database_url, mine)
    if asked in _proven:
        return
    with reading() as db:
        kept = kept_hash(db)
    try:
        kept = kept or _keep_hash(mine)
    except Held:  # a database that has been moved takes in nothing: nothing is sealed there
        return
    if kept != mine:
        raise AnotherKey
    forgotten.reencrypt_for_app_secret()
    _proven.add(asked)


def is_another_key() -> bool:
    """The same without leaving anything, for who only looks."""
    with reading() as db:
        kept = kept_hash(db)
    return kept is not None and kept != lookup_hash(PURPOSE)


def kept_hash(db: Session) -> str | None:
    return db.execute(select(col(KeyCheck.hash))).scalar_one_or_none()


def accept_key(by: Actor, *, now: datetime, forgotten_may_return: bool = False) -> int:
    """This process's key is ours from now on; returns how many fanpages must be connected again. The list of
    those who were forgotten goes on under it; given up only when nothing opens it any more."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        given_up = forgotten.reencrypt_for_new_key(db, although_they_return=forgotten_may_return)
        db.execute(delete(KeyCheck))
        db.add(KeyCheck(id=1, hash=lookup_hash(PURPOSE)))
        record(db, by, "installation.accept_key", now=now, forgotten_given_up=given_up)
        return decrypt_all(_tokens_of_fanpages(db)).count(None)


def _keep_hash(mine: str) -> str | None:
    """What is kept from now on; an installation from before this check is known by what it has sealed."""
    with transaction() as db:
        if not _opens_what_is_there(db):
            raise AnotherKey
        db.execute(bulk.insert_new(KeyCheck), [{"id": 1, "hash": mine}])
        return kept_hash(db)


def _opens_what_is_there(db: Session) -> bool:
    latest = select(col(OptIn.token_sealed)).where(col(OptIn.token_sealed).is_not(None))
    sealed = _tokens_of_fanpages(db) or db.scalars(latest.order_by(col(OptIn.id).desc()).limit(1)).all()
    return not sealed or any(opened is not None for opened in decrypt_all([each or "" for each in sealed]))


def _tokens_of_fanpages(db: Session) -> list[str]:
    found = select(col(Fanpage.token_sealed)).where(col(Fanpage.token_sealed).is_not(None))
    return [sealed or "" for sealed in db.scalars(found)]
