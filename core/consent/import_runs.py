"""Imports that the worker runs: begun in the panel, watched there, and undone while nothing is spent.

The file waits sealed in the database, so that leaving the page, or a worker's end, loses nothing: another
worker begins it again, and what was in already stays as it is.
"""

from __future__ import annotations

import base64
import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission, Role
from core.consent import ledger
from core.consent.imports import ImportOutcome, import_opt_ins
from core.consent.rules import ImportState, OptInState
from core.db import bulk
from core.db.engine import DATABASE_TROUBLE, reading, transaction
from core.db.tables import Fanpage, Operator, OptIn, OptInImport, Topic
from core.encryption import decrypt, encrypt
from core.errors import N_, Invalid, NotAllowed, NotFound, OperatorError, SignedOut, WrongState
from core.installation import key_check
from core.installation.key_check import AnotherKey

log = structlog.get_logger(__name__)
LOST_AFTER = timedelta(seconds=60)  # without a sign of life another worker begins it again
BEAT_SECONDS = 0.5  # between two notes of how far it is
KEPT_REJECTED = 2000  # bad rows that are kept with their reasons
CHUNK = 5000  # opt-ins that one transaction takes back
_USED = (OptInState.RESERVED, OptInState.SPENT, OptInState.REFUSED)


class TakenOver(Exception):
    """Another worker has begun this import again, since this one gave no sign of life."""


def begin_import(
    by: Actor, fanpage_id: int, *, topic_id: int, file_name: str, data: bytes, now: datetime
) -> int:
    """Hand a file over to the worker. Raises NotFound and WrongState for a topic that takes none."""
    sealed = encrypt(base64.b64encode(data).decode())
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        topic = db.get(Topic, topic_id)
        if topic is None or topic.fanpage_id != fanpage_id:
            raise NotFound(N_("There is no topic {id}."), id=topic_id)
        if topic.archived_at is not None:
            raise WrongState(N_("The topic “{topic}” is archived. Restore it first."), topic=topic.name)
        row = OptInImport(
            fanpage_id=fanpage_id,
            topic_id=topic_id,
            file_name=file_name[:200],
            file_sealed=sealed,
            state=ImportState.WAITING,
            operator=by.name,
            role=by.role,
            created_at=now,
        )
        db.add(row)
        db.flush()
        record(
            db,
            by,
            "opt_in.begin_import",
            now=now,
            fanpage_id=fanpage_id,
            subject_id=topic_id,
            subject=topic.name,
            file=row.file_name,
        )
        return row.id or 0


def run_imports(*, now: datetime) -> int:
    """Run the imports that wait, one after the other, and those whose worker gives no sign of life. Returns
    how many it ran."""
    try:
        key_check.refuse_another_key()
    except AnotherKey:
        return 0  # a worker that has the key runs them
    ran, began = 0, time.monotonic()
    while (claimed := _claim(at := now + timedelta(seconds=time.monotonic() - began))) is not None:
        try:
            _run(claimed, at)
        except TakenOver:
            log.warning("import_taken_over", id=claimed.id)
        ran += 1
    return ran


def _claim(now: datetime) -> OptInImport | None:
    waits = or_(
        col(OptInImport.state) == ImportState.WAITING,
        (col(OptInImport.state) == ImportState.RUNNING) & (col(OptInImport.beat_at) < now - LOST_AFTER),
    )
    with reading() as db:
        wanted = select(col(OptInImport.id)).where(waits).order_by(col(OptInImport.id)).limit(1)
        found = db.execute(wanted).scalar_one_or_none()
    if found is None:
        return None
    with transaction() as db:
        mine = bulk.change(OptInImport, col(OptInImport.id) == found, waits)
        taken = mine.values(state=ImportState.RUNNING, started_at=now, beat_at=now, done=0)
        is_taken = db.execute(taken.returning(col(OptInImport.id))).scalar_one_or_none()
        return db.get(OptInImport, found) if is_taken else None


def end_restored(db: Session, *, now: datetime) -> None:
    """In a database restored from a backup, end the imports that wait: they may have been done since, and
    undone."""
    words = N_("The database was restored from a backup before this import was done. Import the file again.")
    waits = col(OptInImport.state).in_([ImportState.WAITING, ImportState.RUNNING])
    ended = {"state": ImportState.FAILED, "file_sealed": None, "ended_at": now}
    db.execute(bulk.change(OptInImport, waits).values(**ended, problem=_refusal(OperatorError(words))))


def _run(row: OptInImport, now: datetime) -> None:
    by = _who_began(row)
    begun = told = time.monotonic()

    def tell(done: int, rows: int) -> None:
        nonlocal told
        if time.monotonic() - told >= BEAT_SECONDS:
            told = time.monotonic()
            at = now + timedelta(seconds=told - begun)
            update_import(row, done=done, rows=rows, beat_at=at)

    try:
        data = base64.b64decode(decrypt(row.file_sealed or ""))
        outcome = import_opt_ins(
            by,
            row.fanpage_id,
            topic_id=row.topic_id,
            data=data,
            now=now,
            import_id=row.id,
            progress=tell,
        )
    except (NotAllowed, SignedOut):
        log.warning("import_refused", id=row.id, code="not_allowed")
        said = OperatorError(
            N_(
                "{name} may no longer import opt-ins for this fanpage, so the rest was left out. Somebody "
                "who may can import the file again."
            ),
            name=row.operator,
        )
        _end(row, ImportState.FAILED, begun, now, problem=_refusal(said))
        return
    except OperatorError as refused:
        log.warning("import_refused", id=row.id, code=refused.code)
        _end(row, ImportState.FAILED, begun, now, problem=_refusal(refused))
        return
    except (TakenOver, *DATABASE_TROUBLE):
        raise  # somebody else has it, or it is begun again when the database is back
    except Exception as problem:  # it would happen again at each attempt
        log.exception("import_failed", id=row.id, error=type(problem).__name__)
        said = OperatorError(
            N_(
                "An unexpected error occurred while reading the file. What was already imported "
                "stays. Repeat the import in smaller parts, and please report the import's number, "
                "{id}."
            ),
            id=row.id,
        )
        _end(row, ImportState.FAILED, begun, now, problem=_refusal(said))
        return
    _end(row, ImportState.DONE, begun, now, **_counted(row.id or 0, outcome))


def _who_began(row: OptInImport) -> Actor:
    """They count as they are now, signed in or not. The command line has no row; its role is noted here."""
    with reading() as db:
        mine = select(col(Operator.id)).where(col(Operator.name) == row.operator)
        id_ = db.execute(mine).scalar_one_or_none()
    return Actor(id_, row.operator, Role(row.role), is_absent=id_ is not None)


def _counted(import_id: int, outcome: ImportOutcome) -> dict[str, Any]:
    """Counted from the ledger, since a run that broke off has brought some of them already."""
    with reading() as db:
        brought = select(func.count()).where(col(OptIn.import_id) == import_id)
        imported = int(db.execute(brought).scalar_one())
    again = imported - outcome.imported
    kept = [
        {"row": bad.row, "template": bad.problem.template, "values": dict(bad.problem.values)}
        for bad in outcome.rejected[:KEPT_REJECTED]
    ]
    good = outcome.imported + outcome.duplicates
    return {
        "imported": imported,
        "duplicates": outcome.duplicates - again,
        "rejected": kept,
        "rejected_count": len(outcome.rejected),
        "rows": good,
        "done": good,
    }


def _end(row: OptInImport, state: ImportState, begun: float, now: datetime, **values: Any) -> None:
    ended_at = now + timedelta(seconds=time.monotonic() - begun)
    update_import(row, state=state, file_sealed=None, ended_at=ended_at, **values)


def _refusal(refused: OperatorError) -> dict[str, Any]:
    found = refused.problems if isinstance(refused, Invalid) else []
    said = [(each.template, dict(each.values)) for each in found] or [
        (refused.template, dict(refused.values))
    ]
    return {"said": [{"template": template, "values": values} for template, values in said]}


def update_import(claimed: OptInImport, **values: Any) -> None:
    """Write how far an import is, in a transaction of its own. Raises TakenOver when it is no longer ours."""
    ours = col(OptInImport.state) == ImportState.RUNNING, col(OptInImport.started_at) == claimed.started_at
    with transaction() as db:
        mine = bulk.change(OptInImport, col(OptInImport.id) == claimed.id, *ours)
        written = mine.values(**values).returning(col(OptInImport.id))
        if db.execute(written).scalar_one_or_none() is None:
            raise TakenOver


def undo_import(by: Actor, import_id: int, *, now: datetime) -> int:
    """Take back all that an import brought, in transactions of some thousand. Returns how many. Raises
    WrongState as soon as one of them is reserved or was used: none of those is ever touched."""
    taken = 0
    while True:
        with transaction() as db:
            authorise(db, by, Permission.EDIT, of(OptInImport, import_id), now=now)
            row = _may_be_undone(db, import_id)
            part = ledger.take_back_imported(db, import_id, limit=CHUNK)
            taken += part
            if not part:
                _note_undone(db, by, row, taken, now)
                return taken


def _may_be_undone(db: Session, import_id: int) -> OptInImport:
    row = db.get(OptInImport, import_id, with_for_update=True)
    if row is None:
        raise NotFound(N_("There is no import {id}."), id=import_id)
    if row.state != ImportState.DONE:
        raise WrongState(N_("Only a finished import can be undone."))
    used = select(func.count()).where(
        col(OptIn.import_id) == import_id, or_(col(OptIn.state).in_(_USED), ledger.was_taken())
    )
    count = int(db.execute(used).scalar_one())
    if count:
        raise WrongState(
            N_("A broadcast is holding or has used {count} of its opt-ins, so this import can't be undone."),
            count=count,
        )
    return row


def _note_undone(db: Session, by: Actor, row: OptInImport, taken: int, now: datetime) -> None:
    row.state, row.undone_by, row.undone_at = ImportState.UNDONE, by.name, now
    db.add(row)
    record(
        db,
        by,
        "opt_in.undo_import",
        now=now,
        fanpage_id=row.fanpage_id,
        subject_id=row.topic_id,
        subject=row.file_name,
        count=taken,
    )
