"""Keeps keyed hashes of forgotten people (fanpage and PSID), which everything that takes in people checks.

The key of the hashes is random, made with the first of them and never changed. It is stored encrypted with
OTN_SECRET_KEY, and once more with OTN_APP_SECRET, so that the list survives a new secret key. Without a row
for the key nobody was ever forgotten, and nothing else is read.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from sqlalchemy import delete, func, select, text, update
from sqlmodel import Session, col

from core.db import bulk
from core.db.engine import is_sqlite, reading, transaction
from core.db.tables import Forgotten, ForgottenKey
from core.encryption import decrypt, open_key, open_key_by_app, seal_key, seal_key_by_app
from core.errors import Held, WrongState
from core.settings import settings

PlatformIds = tuple[str, str]  # the platform's ids of a fanpage and of a person
_HASH = bulk.columns_of(Forgotten, "hash")
_LOCK = 7_411_302  # the advisory lock between taking people in and forgetting them
_SHARED = text(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")
_EXCLUSIVE = text(f"SELECT pg_advisory_xact_lock({_LOCK})")


def hold_off_forgetting(db: Session) -> None:
    """Keep everybody from being forgotten until this transaction ends; whatever takes people in calls it.
    SQLite has one writer at a time anyway."""
    if not is_sqlite(db):
        db.execute(_SHARED)


def find_forgotten(db: Session, people: Iterable[PlatformIds]) -> dict[PlatformIds, datetime]:
    """Which of these people were forgotten, and when. It holds until the caller's transaction ends."""
    hold_off_forgetting(db)
    key = read_key(db)
    if key is None:
        return {}
    by_hash = {person_hash(key, person): person for person in people}
    found = _moments().fetch(db, bulk.bound([(each,) for each in by_hash]))
    return {by_hash[hash_]: bulk.moment(at) for hash_, at in found}


def record_forgotten(db: Session, person: PlatformIds, *, now: datetime) -> None:
    """Record that a person is forgotten. From the commit on nothing older than `now` brings them back;
    whoever is being taken in at the moment is waited for."""
    if not is_sqlite(db):
        db.execute(_EXCLUSIVE)
    hash_ = person_hash(read_key(db) or _new_key(db), person)
    db.merge(Forgotten(hash=hash_, forgotten_at=now))
    db.flush()


def copy_list(source: Session, db: Session) -> Callable[[PlatformIds], bool] | None:
    """Copy the list of the forgotten from another copy of this database. Returns None when all of them were
    known, else a function that says of a person whether they are one of those who were not.

    Raises WrongState when the lists have different keys, so that they are no copies of one database.
    """
    row = source.get(ForgottenKey, 1)
    if row is None:
        return None
    key = decrypt(row.sealed)
    if read_key(db) not in (None, key):
        raise WrongState(
            "The backup is one of another installation: its list of forgotten people has another key."
        )
    if db.get(ForgottenKey, 1) is None:
        db.add(ForgottenKey(id=1, sealed=row.sealed, sealed_by_app=row.sealed_by_app))
    known, there = _read_list(db), _read_list(source)
    new = {hash_: at for hash_, at in there.items() if hash_ not in known or known[hash_] < at}
    for hash_, at in new.items():
        db.merge(Forgotten(hash=hash_, forgotten_at=at))
    db.flush()
    return (lambda person: person_hash(key, person) in new) if new else None


def _read_list(db: Session) -> dict[str, datetime]:
    found = db.execute(select(col(Forgotten.hash), col(Forgotten.forgotten_at)))
    return {hash_: at for hash_, at in found}  # noqa: C416 (rows are no pairs to the type checker)


def reencrypt_for_new_key(db: Session, *, although_they_return: bool = False) -> int:
    """Encrypt the key of the hashes anew, because the installation has another secret key.

    Where nothing decrypts it any more, WrongState is raised, unless `although_they_return` says to give the
    list up. Returns how many forgotten people were given up.
    """
    row = db.get(ForgottenKey, 1)
    if row is None:
        return 0
    key = open_key(row.sealed, row.sealed_by_app)
    if key:
        row.sealed, row.sealed_by_app = seal_key(key)
        return 0
    people = int(db.execute(select(func.count()).select_from(Forgotten)).scalar_one())
    if not although_they_return:
        raise WrongState(
            "The list of {people} forgotten people is opened by the former OTN_SECRET_KEY or by "
            "OTN_APP_SECRET, and this process has neither. Set OTN_APP_SECRET as it was and repeat this. "
            "Only if both are lost for good: python -m core accept-key --forgotten-may-return (then an "
            "old file or a late webhook may bring them back).",
            people=people,
        )
    db.execute(delete(Forgotten))
    db.execute(delete(ForgottenKey))
    return people


def reencrypt_for_app_secret() -> None:
    """Encrypt the key of the hashes anew when OTN_APP_SECRET has changed. Each process calls it once."""
    with reading() as db:
        row = db.get(ForgottenKey, 1)
    if row is None or not _app_secret() or open_key_by_app(row.sealed_by_app):
        return
    renewed = update(ForgottenKey).values(sealed_by_app=seal_key_by_app(decrypt(row.sealed)))
    try:
        with transaction() as db:
            db.execute(renewed)
    except Held:  # a database that was moved away from; the new one does it
        return


def read_key(db: Session) -> str | None:
    """The key of the hashes, or None when nobody was ever forgotten."""
    sealed = db.connection().exec_driver_sql("SELECT sealed FROM forgotten_key").scalar()
    return decrypt(sealed) if sealed else None


def _new_key(db: Session) -> str:
    key = secrets.token_hex(32)
    sealed, by_app = seal_key(key)
    db.add(ForgottenKey(id=1, sealed=sealed, sealed_by_app=by_app))
    db.flush()
    return key


def person_hash(key: str, person: PlatformIds) -> str:
    """The hash by which a person is found in the list."""
    page_id, psid = person
    message = f"{page_id}/{psid}".encode("utf-8", "surrogatepass")
    return hmac.digest(bytes.fromhex(key), message, "sha256").hex()


@cache
def _moments() -> bulk.CompiledQuery:
    given = bulk.rows_given(_HASH)
    chosen = select(col(Forgotten.hash), col(Forgotten.forgotten_at)).where(col(Forgotten.hash).in_(given))
    return bulk.CompiledQuery(chosen)


def _app_secret() -> str:
    return settings().app_secret.get_secret_value()
