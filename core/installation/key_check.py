"""Makes sure that all processes of an installation use one secret key.

What is encrypted with another key can never be read again, and a customer gives each token only once. So the
first process of an installation stores a hash of its key, and every process compares its own with it when it
starts and before it encrypts.
"""

from __future__ import annotations

import time
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, authorise
from core.accounts.rules import Actor, Permission
from core.customers import forgotten
from core.db import bulk
from core.db.engine import reading, transaction
from core.db.tables import Fanpage, KeyCheck, OptIn
from core.encryption import decrypt_all, lookup_hash, lookup_key
from core.errors import N_, Held, OperatorError
from core.installation import token_hash
from core.settings import settings

PURPOSE = "key check"
CHECK_AGAIN_SECONDS = 2.0  # shorter than the silence after which `rekey` takes a process for ended
# When (monotonic) a database and the hash of a key were last found to belong together.
_checked: dict[tuple[str, str], float] = {}


class AnotherKey(OperatorError):
    """This process has another secret key than the installation."""

    code = "wrong_key"

    def __init__(self) -> None:
        super().__init__(
            N_(
                "OTN_SECRET_KEY (or data/secret.key) is not the key of this installation, so "
                "nothing is sent or received with it. Restore the key that the other processes "
                "use, or that was kept with the backup. If `rekey` was interrupted, repeat it: "
                "python -m core rekey. Only if the key is lost for good: python -m core accept-key"
            )
        )


def refuse_another_key() -> None:
    """Raise AnotherKey when this process has another secret key than the installation. The key of the first
    process counts. The database is asked at most every two seconds, since `rekey` may give it another key
    while a process is frozen."""
    mine = lookup_hash(PURPOSE)
    asked = (settings().database_url, mine)
    checked_at = _checked.get(asked)
    if checked_at is not None and time.monotonic() - checked_at < CHECK_AGAIN_SECONDS:
        return
    with reading() as db:
        kept = kept_hash(db)
    try:
        kept = kept or claim_hash(mine)
    except Held:  # a database that has been moved takes in nothing: nothing is sealed there
        return
    if kept != mine:
        raise AnotherKey
    if checked_at is None:
        token_hash.keep_key()
        forgotten.reencrypt_for_app_secret()
    _checked[asked] = time.monotonic()


def forget_checked() -> None:
    """Check anew at the next call, as a process does that has just started."""
    _checked.clear()
    token_hash.forget_known()


def is_another_key() -> bool:
    """Whether this process has another secret key than the installation. It stores nothing."""
    with reading() as db:
        kept = kept_hash(db)
    return kept is not None and kept != lookup_hash(PURPOSE)


def hash_of_key(key: str) -> str:
    """The hash by which a secret key is known."""
    return lookup_hash(PURPOSE, lookup_key(key))


def kept_hash(db: Session) -> str | None:
    """The stored hash of the installation's key, or None before the first process has stored it."""
    return db.execute(select(col(KeyCheck.hash))).scalar_one_or_none()


def accept_key(
    by: Actor, *, now: datetime, forgotten_may_return: bool = False, used_may_return: bool = False
) -> int:
    """Make this process's key the installation's key. Returns how many fanpages must be connected again,
    because their tokens cannot be decrypted with it.

    The list of forgotten customers and the key of the tokens' hashes are encrypted anew. Where nothing
    decrypts one of them any more this is refused, unless `forgotten_may_return` or `used_may_return` says to
    give it up.
    """
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        given_up = forgotten.reencrypt_for_new_key(db, although_they_return=forgotten_may_return)
        hashes_given_up = token_hash.reencrypt_for_new_key(db, although_used_return=used_may_return)
        db.execute(delete(KeyCheck))
        db.add(KeyCheck(id=1, hash=lookup_hash(PURPOSE)))
        record(
            db,
            by,
            "installation.accept_key",
            now=now,
            forgotten_given_up=given_up,
            hashes_given_up=hashes_given_up,
        )
        return decrypt_all(_tokens_of_fanpages(db)).count(None)


def claim_hash(mine: str) -> str | None:
    """Store a hash unless there is one, and return the one that counts. In an installation without one that
    holds encrypted secrets, the key has to decrypt them, else AnotherKey is raised."""
    with transaction() as db:
        if not _decrypts_what_is_there(db):
            raise AnotherKey
        db.execute(bulk.insert_new(KeyCheck), [{"id": 1, "hash": mine}])
        return kept_hash(db)


def _decrypts_what_is_there(db: Session) -> bool:
    latest = select(col(OptIn.token_sealed)).where(col(OptIn.token_sealed).is_not(None))
    sealed = _tokens_of_fanpages(db) or db.scalars(latest.order_by(col(OptIn.id).desc()).limit(1)).all()
    return not sealed or any(opened is not None for opened in decrypt_all([each or "" for each in sealed]))


def _tokens_of_fanpages(db: Session) -> list[str]:
    found = select(col(Fanpage.token_sealed)).where(col(Fanpage.token_sealed).is_not(None))
    return [sealed or "" for sealed in db.scalars(found)]
