"""Gives an installation a new secret key: everything that the former one sealed is sealed anew.

All of it is one transaction, so that an interruption leaves the installation with the one key or the other.
What the key of hashes depends on (who was forgotten, which tokens are known) stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, and_, bindparam, delete, select, update
from sqlalchemy import Table as SqlTable
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, authorise, authorise_early
from core.accounts.rules import Actor, Permission
from core.db.engine import empty_log, reading, transaction
from core.db.tables import Heartbeat, KeyCheck, Table
from core.encryption import decrypt_with_key, encrypt_with_key
from core.errors import OperatorError, WrongState
from core.installation import key_check, token_hash
from core.installation.heartbeat import SILENT_AFTER
from core.settings import kept_secret, replace_kept_secret, secret_key, settings
from core.text.secret_strength import KEY_MINIMUM, is_guessable_key

FILE, NEXT_FILE = "secret.key", "secret.key.next"
ROWS_AT_ONCE = 5000
_SEALED_JSON = {("event", "body")}  # encrypted values stand inside of it, each as {"sealed": …}


@dataclass(frozen=True)
class RekeyResult:
    """How many secrets were sealed anew, and how many the former key did not open; those stay as they
    were."""

    sealed: int
    closed: int
    is_in_file: bool  # the new key is in data/secret.key; else it has to be set as OTN_SECRET_KEY


def rekey(by: Actor, *, new_key: str | None, now: datetime) -> RekeyResult:
    """Give the installation a new secret key. Without `new_key` one is made and put into data/secret.key,
    which needs an installation whose key is in that file. It may be repeated after an interruption."""
    authorise_early(by, Permission.ADMIN, EVERYTHING, now=now)
    is_in_file = not settings().secret_key.get_secret_value()
    _refuse_unfit(new_key, is_in_file)
    former, new = secret_key(), new_key or kept_secret(NEXT_FILE)
    sealed, closed = (0, 0) if _is_done(new) else _reseal(by, former, new, now)
    if is_in_file:
        replace_kept_secret(FILE, NEXT_FILE, keep_as=f"{FILE}.until-{now:%Y%m%d-%H%M%S}")
    key_check.forget_checked()
    empty_log()
    return RekeyResult(sealed, closed, is_in_file)


def rekey_from(by: Actor, former: str, *, now: datetime) -> RekeyResult:
    """Seal everything under the key of this process, which was `former` until now: with a guessable one none
    starts, so the new one is in its place first. It may be repeated."""
    authorise_early(by, Permission.ADMIN, EVERYTHING, now=now)
    new = secret_key()
    if former in ("", new):
        raise OperatorError(
            "Nothing was changed: that is the key that is in use. Put the new key in its place first."
            if former
            else "Nothing was changed: the file of the former key is empty."
        )
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        kept = key_check.kept_hash(db)
        if kept not in (key_check.hash_of_key(former), key_check.hash_of_key(new)):
            raise WrongState("Nothing was changed: this is not the key that sealed this installation.")
        _refuse_while_running(db, now)
        sealed, closed = 0, 0
        if kept != key_check.hash_of_key(new):  # else an attempt of before has done it
            sealed, closed = reseal_all(db, former, new)
            token_hash.store_key(db, first=former)
        record(db, by, "installation.rekey", now=now, count=sealed)
    key_check.forget_checked()
    empty_log()
    return RekeyResult(sealed, closed, is_in_file=not settings().secret_key.get_secret_value())


def _refuse_unfit(new_key: str | None, is_in_file: bool) -> None:
    if is_in_file and new_key is not None:
        raise OperatorError("The key of this installation is in data/secret.key; leave out --to.")
    if not is_in_file and new_key is None:
        raise OperatorError(
            "The key of this installation is in OTN_SECRET_KEY. Give the new one on standard input: "
            "python -m core rekey --to -"
        )
    if new_key is not None and is_guessable_key(new_key):
        raise OperatorError(
            "That key is too easy to guess, and nothing would start with it. It needs {shortest} characters "
            "or more that nobody made up.",
            shortest=KEY_MINIMUM,
        )


def _is_done(new: str) -> bool:
    """Whether an attempt that was interrupted has already sealed everything under this key."""
    with reading() as db:
        return key_check.kept_hash(db) == key_check.hash_of_key(new)


def _reseal(by: Actor, former: str, new: str, now: datetime) -> tuple[int, int]:
    key_check.refuse_another_key()
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        _refuse_while_running(db, now)
        done = reseal_all(db, former, new)
        record(db, by, "installation.rekey", now=now, count=done[0])
        return done


def reseal_all(db: Session, former: str, new: str) -> tuple[int, int]:
    """Seal everything in a database under another key, in the caller's transaction. Returns how many secrets
    were sealed anew, and how many the former key does not open."""
    count = _Count(former, new)
    for table, column, change in _sealed_columns(count):
        for rows in _changed_rows(db, table, column, change):
            keys = [key == bindparam(f"key_{key.name}") for key in table.primary_key]
            db.connection().execute(update(table).where(*keys).values({column.name: bindparam("new")}), rows)
    db.execute(delete(KeyCheck))
    db.add(KeyCheck(id=1, hash=key_check.hash_of_key(new)))
    db.flush()
    return count.sealed, count.closed


def _refuse_while_running(db: Session, now: datetime) -> None:
    alive = select(col(Heartbeat.process)).where(col(Heartbeat.at) > now - SILENT_AFTER)
    if running := sorted(db.execute(alive).scalars()):
        raise WrongState(
            "These processes are running and would seal with the former key: {processes}. Stop everything "
            "(also the panel), wait seven seconds and repeat this.",
            processes=", ".join(name.rpartition(":")[0] for name in running),
        )


class _Count:
    """Seals values anew and counts them."""

    def __init__(self, former: str, new: str) -> None:
        self._former, self._new = former, new
        self.sealed = self.closed = 0

    def value(self, sealed: str) -> str:
        opened = decrypt_with_key(self._former, sealed)
        if opened is None:
            self.closed += 1
            return sealed
        self.sealed += 1
        return encrypt_with_key(self._new, opened)

    def json(self, body: str) -> str:
        return json.dumps(self._inside(json.loads(body)), separators=(",", ":"))

    def _inside(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: self.value(inner) if key == "sealed" and isinstance(inner, str) else self._inside(inner)
                for key, inner in value.items()
            }
        return [self._inside(each) for each in value] if isinstance(value, list) else value


Change = Callable[[str], str]


def _sealed_columns(count: _Count) -> Iterator[tuple[SqlTable, Column[Any], Change]]:
    """Every column with something sealed under the secret key; they are known by their names."""
    for table in Table.metadata.sorted_tables:
        for column in table.columns:
            if column.name == "sealed" or column.name.endswith("_sealed"):
                yield table, column, count.value
            elif (table.name, column.name) in _SEALED_JSON:
                yield table, column, count.json


def _changed_rows(
    db: Session, table: SqlTable, column: Column[Any], change: Change
) -> Iterator[list[dict[str, Any]]]:
    """The rows of a column with their new values, in the order of their key, some thousand at a time."""
    (key,) = table.primary_key
    wanted = column.contains('"sealed"') if (table.name, column.name) in _SEALED_JSON else column.is_not(None)
    last: Any = None
    while True:
        after = and_(wanted, key > last) if last is not None else wanted
        found = db.execute(select(key, column).where(after).order_by(key).limit(ROWS_AT_ONCE)).all()
        if not found:
            return
        last = found[-1][0]
        yield [{f"key_{key.name}": id_, "new": change(value)} for id_, value in found]
