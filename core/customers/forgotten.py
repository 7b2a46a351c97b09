"""Who was forgotten: keyed hashes of fanpage and PSID, asked for at every door by which they might come back.

The key of the hashes is random, made with the first of them and never changed. It is kept sealed under
OTN_SECRET_KEY, and once more under OTN_APP_SECRET, so that a new secret key forgets nobody. Without its row
nobody was ever forgotten, and a door asks no more than that.
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
_DOORS = 7_411_302  # nobody else's number
_PASS = text(f"SELECT pg_advisory_xact_lock_shared({_DOORS})")
_CLOSE = text(f"SELECT pg_advisory_xact_lock({_DOORS})")


def hold_off_forgetting(db: Session) -> None:
    """Until the commit nobody is forgotten: for whatever takes people in. SQLite has one writer anyway."""
    if not is_sqlite(db):
        db.execute(_PASS)


def find_forgotten(db: Session, people: Iterable[PlatformIds]) -> dict[PlatformIds, datetime]:
    """Those who were forgotten, and when; true until the caller's transaction ends."""
    hold_off_forgetting(db)
    key = read_key(db)
    if key is None:
        return {}
    by_hash = {person_hash(key, person): person for person in people}
    found = bulk.fetch(db, _moments(), bulk.bound([(each,) for each in by_hash]))
    return {by_hash[hash_]: bulk.moment(at) for hash_, at in found}


def record_forgotten(db: Session, person: PlatformIds, *, now: datetime) -> None:
    """From the commit on no door lets them in with what is older. Nobody is on their way in meanwhile."""
    if not is_sqlite(db):
        db.execute(_CLOSE)
    hash_ = person_hash(read_key(db) or _new_key(db), person)
    db.merge(Forgotten(hash=hash_, forgotten_at=now))
    db.flush()


def reencrypt_for_new_key(db: Session, *, although_they_return: bool = False) -> int:
    """The installation has another secret key from now on. Returns how many forgotten people are given up,
    because nothing opens the key of their hashes any more: only if the caller says so."""
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
    """Seal the key once more when OTN_APP_SECRET has changed. Asked once a process."""
    with reading() as db:
        row = db.get(ForgottenKey, 1)
    if row is None or not _app_secret() or _decrypted_by_app(row):
        return
    renewed = update(ForgottenKey).values(sealed_by_app=_encrypted_by_app(decrypt(row.sealed)))
    try:
        with transaction() as db:
            db.execute(renewed)
    except Held:  # a database that has been moved; the new one is told
        return


def read_key(db: Session) -> str | None:
    sealed = db.connection().exec_driver_sql("SELECT sealed FROM forgotten_key").scalar()
    return decrypt(sealed) if sealed else None


def _new_key(db: Session) -> str:
    key = secrets.token_hex(32)
    db.add(ForgottenKey(id=1, sealed=encrypt(key), sealed_by_app=_encrypted_by_app(key)))
    db.flush()
    return key


def person_hash(key: str, person: PlatformIds) -> str:
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
