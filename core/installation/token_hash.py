"""Hashes tokens, by which the ledger knows a token again: in an old import file, in a repeated webhook.

The key of the hashes is that of the installation's first secret key. It is stored, sealed, so that a new
secret key (`rekey`, `accept-key`) makes no token look new that was used already.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlmodel import Session

from core.db import bulk
from core.db.engine import reading, transaction
from core.db.tables import OptIn, TokenKey
from core.encryption import decrypt, decrypt_all, lookup_hash, lookup_key, open_key, open_key_by_app, seal_key
from core.errors import Held, WrongState
from core.settings import settings

_known: dict[str, bytes] = {}  # by database: the key never changes


def token_hash(token: str) -> str:
    """The hash of a token, 64 hex digits."""
    return lookup_hash(token, _key())


def lasting_secret() -> str:
    """A secret that outlives the secret key, for what has to be known again in years: it is the same key."""
    return _key().hex()


def _key() -> bytes:
    database = settings().database_url
    known = _known.get(database)
    if known is None:
        with reading() as db:
            row = db.get(TokenKey, 1)
        opened = decrypt_all([row.sealed])[0] if row else None
        if opened is None:  # not stored yet; or another secret key, with which nothing is stored (key_check)
            return lookup_key()
        known = _known[database] = bytes.fromhex(opened)
    return known


def forget_known() -> None:
    """Read the key anew at the next call, as a process does that has just started."""
    _known.clear()


def keep_key() -> None:
    """Store the key of this process's secret key, unless one is stored; seal it anew when OTN_APP_SECRET has
    changed. The caller has made sure that the secret key is the installation's."""
    with reading() as db:
        row = db.get(TokenKey, 1)
    has_app_secret = bool(settings().app_secret.get_secret_value())
    if row and (not has_app_secret or open_key_by_app(row.sealed_by_app)):
        return
    try:
        with transaction() as db:
            _store(db, decrypt(row.sealed) if row else lookup_key().hex())
    except Held:  # a database that was moved away from takes in nothing
        return


def store_key(db: Session, *, first: str | None = None) -> None:
    """Store the key that belongs to the secret key `first`, or to the installation's, unless one is there."""
    if db.get(TokenKey, 1) is None:
        _store(db, lookup_key(first).hex())
        db.flush()


def read_key(db: Session) -> str:
    """The key of a database, or what it will be. Raises CannotDecrypt with another secret key."""
    row = db.get(TokenKey, 1)
    return decrypt(row.sealed) if row else lookup_key().hex()


def reencrypt_for_new_key(db: Session, *, although_used_return: bool = False) -> int:
    """Seal the key of the hashes anew, because the installation has another secret key.

    Where nothing opens it any more, WrongState is raised, unless `although_used_return` says to give the
    hashes up. Returns how many opt-ins are known by a hash that was given up.
    """
    row = db.get(TokenKey, 1)
    key = open_key(row.sealed, row.sealed_by_app) if row else None
    given_up = 0 if key else int(db.execute(select(func.count()).select_from(OptIn)).scalar_one())
    if given_up and not although_used_return:
        raise WrongState(
            "The tokens of {opt_ins} opt-ins are known again by a key that the former OTN_SECRET_KEY or "
            "OTN_APP_SECRET opens, and this process has neither. Set OTN_APP_SECRET as it was and repeat "
            "this. Only if both are lost for good: python -m core accept-key --used-may-return (then an old "
            "import file makes used tokens available again).",
            opt_ins=given_up,
        )
    _store(db, key or lookup_key().hex())
    forget_known()
    return given_up


def _store(db: Session, key: str) -> None:
    sealed, by_app = seal_key(key)
    db.execute(delete(TokenKey))
    db.execute(bulk.insert_new(TokenKey), [{"id": 1, "sealed": sealed, "sealed_by_app": by_app}])
