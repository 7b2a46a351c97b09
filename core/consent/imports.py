"""Imports opt-ins that another tool collected, in bulk statements of a thousand rows, one transaction each.

The transactions are short because the webhook server waits for the customers' rows that an import has locked.
An import that broke off in the middle is simply repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice
from typing import TypeVar

from sqlalchemy import BigInteger, Select, and_, bindparam, func, literal, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, authorise_early, of
from core.accounts.rules import Actor, Permission
from core.consent import import_file
from core.consent.import_rows import Row
from core.consent.ledger import NewOptIn, record_imported
from core.consent.rules import OptInSource
from core.consent.withdrawals import is_withdrawn
from core.customers import tags
from core.customers.forgotten import find_forgotten
from core.db import bulk, row_locks
from core.db.engine import reading, transaction
from core.db.tables import Customer, Fanpage, OptIn, Topic
from core.errors import N_, NotFound, Problem, WrongState, problem
from core.installation import key_check
from core.installation.token_hash import token_hash
from core.text.matching import search_key
from core.text.normalise import name_key

T = TypeVar("T")
CHUNK = 1000  # rows per transaction
FORGOTTEN = N_("This person was forgotten (erased permanently): no file can bring them back.")


@dataclass(frozen=True)
class ImportOutcome:
    """Every row of the file is counted once: imported, duplicate, or rejected with its reason."""

    imported: int
    duplicates: int  # tokens that are known already, or that the file has twice; left as they were
    rejected: tuple[import_file.Rejected, ...]
    new_customers: int = 0
    cleaned: int = 0  # ids that had quotes or invisible characters around them
    notes: tuple[Problem, ...] = ()  # how ambiguous parts of the file were read, and what looks odd
    withdrawn: int = 0  # of the imported: those that a withdrawal applies to; kept, but never used


def import_opt_ins(
    by: Actor,
    fanpage_id: int,
    *,
    topic_id: int,
    data: bytes,
    now: datetime,
    only_check: bool = False,
    import_id: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _rows: None,
) -> ImportOutcome:
    """Read a CSV or .xlsx file into the ledger; repeating it changes nothing.

    `only_check` says what would happen. `progress` is told, between the transactions, how many of the rows
    are done.
    """
    authorise_early(by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
    sheet = import_file.read_sheet(data, zone=_zone(fanpage_id, topic_id), now=now)
    fresh = _unknown(fanpage_id, sheet.rows)
    known = sheet.repeated + len(sheet.rows) - len(fresh)
    rejected = list(sheet.rejected)
    seen = ImportOutcome(0, known, (), cleaned=sheet.cleaned, notes=sheet.notes)
    if only_check:
        with reading() as db:
            admitted = _admitted(db, fanpage_id, fresh, rejected)
            withdrawn = sum(_count_withdrawn(db, fanpage_id, topic_id, rows) for rows in _chunks(admitted))
        return replace(seen, imported=len(admitted), rejected=_in_order(rejected), withdrawn=withdrawn)
    key_check.refuse_another_key()
    imported = new_customers = withdrawn = 0
    total, done = len(sheet.rows), len(sheet.rows) - len(fresh)
    for chunk in _chunks(fresh):
        progress(done, total)
        done += len(chunk)
        with transaction() as db:
            authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
            rows = _admitted(db, fanpage_id, chunk, rejected)
            if not rows:
                continue
            people = {(fanpage_id, row.psid) for row in rows}
            row_locks.lock_people(db, people)  # in the order that everybody keeps, before new ones are made
            customers, made = _customers(db, fanpage_id, rows, now)
            row_locks.lock_people(db, people)  # the new ones as well: nobody withdraws meanwhile
            new_customers += made
            withdrawn += _count_withdrawn(db, fanpage_id, topic_id, rows)
            _put_tags_on(db, fanpage_id, customers, rows, now)
            imported += record_imported(db, _opt_ins(fanpage_id, topic_id, customers, rows, now, import_id))
            known += len(rows)
    outcome = replace(
        seen,
        imported=imported,
        duplicates=known - imported,  # somebody else may have brought some of the tokens meanwhile
        rejected=_in_order(rejected),
        new_customers=new_customers,
        withdrawn=withdrawn,
    )
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        _record(db, by, fanpage_id, topic_id, outcome, now)
    return outcome


def _zone(fanpage_id: int, topic_id: int) -> str:
    with reading() as db:
        topic, fanpage = db.get(Topic, topic_id), db.get(Fanpage, fanpage_id)
        if fanpage is None or topic is None or topic.fanpage_id != fanpage_id:
            raise NotFound(N_("There is no topic {id}."), id=topic_id)
        if topic.archived_at is not None:
            raise WrongState(N_("The topic “{topic}” is archived. Restore it first."), topic=topic.name)
        return fanpage.timezone


def _unknown(fanpage_id: int, rows: Sequence[Row]) -> list[Row]:
    """The rows whose token is new, looked up before the transaction, so that it encrypts no known token."""
    fresh: list[Row] = []
    with reading() as db:
        for chunk in _chunks(rows):
            hashes = [token_hash(row.token) for row in chunk]
            wanted = select(col(OptIn.token_hash)).where(
                col(OptIn.fanpage_id) == fanpage_id, col(OptIn.token_hash).in_(hashes)
            )
            known = set(db.execute(wanted).scalars())
            fresh += [row for row, hash_ in zip(chunk, hashes, strict=True) if hash_ not in known]
    return fresh


def _admitted(
    db: Session, fanpage_id: int, rows: Sequence[Row], rejected: list[import_file.Rejected]
) -> list[Row]:
    """The rows of people who were not forgotten; the others are added to `rejected`. Somebody who was
    forgotten comes back only by writing to the fanpage again."""
    page_id = db.execute(select(col(Fanpage.page_id)).where(col(Fanpage.id) == fanpage_id)).scalar_one()
    gone = {psid for _, psid in find_forgotten(db, {(page_id, row.psid) for row in rows})}
    rejected += [
        import_file.Rejected(row.number, problem("psid", FORGOTTEN)) for row in rows if row.psid in gone
    ]
    return [row for row in rows if row.psid not in gone]


def _in_order(rejected: Sequence[import_file.Rejected]) -> tuple[import_file.Rejected, ...]:
    return tuple(sorted(rejected, key=lambda each: each.row))


def _count_withdrawn(db: Session, fanpage_id: int, topic_id: int, rows: Sequence[Row]) -> int:
    """How many of these new rows a withdrawal applies to."""
    given = [(row.psid, bulk.stamp(row.consented_at)) for row in rows]
    values = {**bulk.bound(given), "fanpage": fanpage_id, "topic": topic_id}
    return int(db.connection().execute(_withdrawn(), values).scalar_one())


@cache
def _withdrawn() -> Select[int]:
    columns = {**bulk.columns_of(Customer, "psid"), **bulk.columns_of(OptIn, "consented_at")}
    given = bulk.rows_given(columns).subquery("given")
    mine = col(Customer.fanpage_id) == bindparam("fanpage"), col(Customer.psid) == given.c.psid
    topic, source = bindparam("topic", type_=BigInteger), literal(OptInSource.IMPORT.value)
    was_withdrawn = is_withdrawn(col(Customer.id), topic, source, given.c.consented_at)
    return select(func.count()).select_from(given.join(Customer, and_(*mine))).where(was_withdrawn)


def _customers(
    db: Session, fanpage_id: int, rows: Sequence[Row], now: datetime
) -> tuple[dict[str, int], int]:
    """The ids of these rows' customers by PSID, and how many had to be made."""
    psids = sorted({row.psid for row in rows})
    values = [
        {"fanpage_id": fanpage_id, "psid": psid, "search_text": search_key(psid), "created_at": now}
        for psid in psids
    ]
    made = db.execute(bulk.insert_new(Customer).returning(col(Customer.psid), col(Customer.id)), values)
    ids: dict[str, int] = {psid: id or 0 for psid, id in made}
    new = len(ids)
    # Not asked for all: just after a large import PostgreSQL would read every customer of the fanpage for it.
    known = [psid for psid in psids if psid not in ids]
    wanted = select(col(Customer.psid), col(Customer.id)).where(
        col(Customer.fanpage_id) == fanpage_id, col(Customer.psid).in_(known)
    )
    if known:
        ids |= {psid: id or 0 for psid, id in db.execute(wanted)}
    return ids, new


def _put_tags_on(
    db: Session, fanpage_id: int, customers: dict[str, int], rows: Sequence[Row], now: datetime
) -> None:
    """Give the customers, whose rows are locked, the tags of their rows beside those they have."""
    people: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        for tag in row.tags:
            people[tag].add(customers[row.psid])
    for tag in sorted(people, key=name_key):  # in one order, so that two imports do not wait for each other
        tags.put_on(db, tags.tag_id_of(db, fanpage_id, tag, now=now), people[tag], now=now)


def _opt_ins(
    fanpage_id: int,
    topic_id: int,
    customers: dict[str, int],
    rows: Sequence[Row],
    now: datetime,
    import_id: int | None,
) -> list[NewOptIn]:
    return [
        NewOptIn(
            fanpage_id=fanpage_id,
            customer_id=customers[row.psid],
            topic_id=topic_id,
            request_id=None,
            promise=row.promise,
            token=row.token,
            source=OptInSource.IMPORT,
            consented_at=row.consented_at,
            created_at=now,
            import_id=import_id,
        )
        for row in rows
    ]


def _record(
    db: Session, by: Actor, fanpage_id: int, topic_id: int, outcome: ImportOutcome, now: datetime
) -> None:
    topic = db.get(Topic, topic_id)
    record(
        db,
        by,
        "opt_in.import",
        now=now,
        fanpage_id=fanpage_id,
        subject_id=topic_id,
        subject=topic.name if topic else "",
        imported=outcome.imported,
        duplicates=outcome.duplicates,
        rejected=len(outcome.rejected),
        **({"withdrawn": outcome.withdrawn} if outcome.withdrawn else {}),
    )


def _chunks(rows: Sequence[T]) -> Iterator[list[T]]:
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk
