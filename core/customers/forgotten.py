"""Keeps keyed hashes of forgotten people (fanpage and PSID), which everything that takes in people checks.

The key of the hashes is random, made with the first of them and never changed. It is stored encrypted with
OTN_SECRET_KEY, and once more with OTN_APP_SECRET, so that the list survives a new secret key. Without a row
for the key nobody was ever forgotten, and nothing else is read.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlmodel import Session, col

from core.db import bulk
from core.db.engine import is_sqlite, reading, transaction
from core.db.tables import Forgotten, ForgottenKey
from core.encryption import decrypt, decrypt_all, decrypt_with_key, encrypt, encrypt_with_key
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
    found = bulk.fetch(db, _moments(), bulk.bound([(each,) for each in by_hash]))
    return {by_hash[hash_]: bulk.moment(at) for hash_, at in found}


def record_forgotten(db: Session, person: PlatformIds, *, now: datetime) -> None:
    """Record that a person is forgotten. From the commit on nothing older than `now` brings them back;
    whoever is being taken in at the moment is waited for."""
    if not is_sqlite(db):
        db.execute(_EXCLUSIVE)
    hash_ = person_hash(read_key(db) or _new_key(db), person)
    db.merge(Forgotten(hash=hash_, forgotten_at=now))
    db.flush()


def reencrypt_for_new_key(db: Session, *, although_they_return: bool = False) -> int:
    """Encrypt the key of the hashes anew, because the installation has another secret key.

    Where nothing decrypts it any more, WrongState is raised, unless `although_they_return` says to give the
    list up. Returns how many forgotten people were given up.
    """
    row = db.get(ForgottenKey, 1)
    if row is None:
        return 0
    key = decrypt_all([row.sealed])[0] or _decrypted_by_app(row)
    if key:
        row.sealed, row.sealed_by_app = encrypt(key), _encrypted_by_app(key)
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
    if row is None or not _app_secret() or _decrypted_by_app(row):
        return
    renewed = update(ForgottenKey).values(sealed_by_app=_encrypted_by_app(decrypt(row.sealed)))
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
    db.add(ForgottenKey(id=1, sealed=encrypt(key), sealed_by_app=_encrypted_by_app(key)))
    db.flush()
    return key


def person_hash(key: str, person: PlatformIds) -> str:
    """The hash by which a person is found in the list."""
    page_id, psid = person
    message = f"{page_id}/{psid}".encode("utf-8", "surrogatepass")
    return hmac.digest(bytes.fromhex(key), message, "sha256").hex()


@cache
def _moments() -> Any:
    given = bulk.rows_given(_HASH)
    chosen = select(col(Forgotten.hash), col(Forgotten.forgotten_at)).where(col(Forgotten.hash).in_(given))
    return bulk.packed(chosen)


def _app_secret() -> str:
    return settings().app_secret.get_secret_value()


def _encrypted_by_app(key: str) -> str | None:
    return encrypt_with_key(_app_secret(), key) if _app_secret() else None


def _decrypted_by_app(row: ForgottenKey) -> str | None:
    return decrypt_with_key(_app_secret(), row.sealed_by_app) if _app_secret() and row.sealed_by_app else None
