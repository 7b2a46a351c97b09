"""What staff do to topics and opt-ins. Importing is in imports.py."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.consent import ledger, topic_rows, topics_in_use
from core.consent.rules import OptInState, check_topic_name
from core.consent.topic_rows import get_topic
from core.db import bulk, row_locks
from core.db.engine import transaction
from core.db.tables import Fanpage, OptIn, Topic
from core.errors import N_, Invalid, NotFound, Problem, WrongState, problem
from core.text.normalise import name_key, normalise_name, normalise_text
from core.text.utf16_units import length

DESCRIPTION_LIMIT = 500


def create_topic(by: Actor, fanpage_id: int, *, name: str, description: str = "", now: datetime) -> int:
    name, description = normalise_name(name), normalise_text(description)
    _check(name, description)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        if db.get(Fanpage, fanpage_id) is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        _check_name_is_free(db, fanpage_id, name)
        row = {"fanpage_id": fanpage_id, "name": name, "description": description}
        made = bulk.insert_new(Topic).values(**row, created_at=now, updated_at=now).returning(col(Topic.id))
        topic_id: int | None = db.execute(made).scalar_one_or_none()
        if topic_id is None:
            raise Invalid([_taken(name)])
        record(db, by, "topic.create", now=now, fanpage_id=fanpage_id, subject_id=topic_id, subject=name)
        return topic_id


def edit_topic(by: Actor, topic_id: int, *, name: str, description: str, now: datetime) -> None:
    name, description = normalise_name(name), normalise_text(description)
    _check(name, description)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Topic, topic_id), now=now)
        topic = get_topic(db, topic_id)
        if (topic.name, topic.description) == (name, description):
            return
        _check_name_is_free(db, topic.fanpage_id, name, but=topic_id)
        was, before = topic.name, topic.description
        topic.name, topic.description, topic.updated_at = name, description, now
        topic_rows.record(db, by, "topic.edit", topic, now, was=was, before=before, after=description)


def restore_topic(by: Actor, topic_id: int, *, now: datetime) -> None:
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Topic, topic_id), now=now)
        topic = get_topic(db, topic_id)
        if topic.archived_at is not None:
            topic.archived_at, topic.updated_at = None, now
            topic_rows.record(db, by, "topic.restore", topic, now)


def make_available_again(by: Actor, opt_in_id: int, *, now: datetime) -> None:
    """Make an opt-in that the platform refused available again; a second call changes nothing."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(OptIn, opt_in_id), now=now)
        opt_in = db.get(OptIn, opt_in_id)
        if opt_in is None:
            raise NotFound(N_("There is no opt-in {id}."), id=opt_in_id)
        if opt_in.state == OptInState.REFUSED and opt_in.expires_at <= now:
            raise WrongState(N_("This opt-in is over a year old: the customer needs to be asked again."))
        if not ledger.make_available(db, [opt_in_id], now=now):
            if opt_in.state == OptInState.AVAILABLE:
                return
            raise WrongState(N_("Only an opt-in that Messenger refused can be made available again."))
        record(db, by, "opt_in.make_available", now=now, fanpage_id=opt_in.fanpage_id, subject_id=opt_in_id)


def assign_topic(
    by: Actor, topic_id: int, *, opt_in_ids: Collection[int] | None = None, now: datetime
) -> int:
    """Assign a topic to opt-ins that have none: to those named, or to all of its fanpage. Returns how
    many."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Topic, topic_id), now=now)
        topic = get_topic(db, topic_id)
        if topic.archived_at is not None:
            raise WrongState(N_("The topic “{topic}” is archived. Restore it first."), topic=topic.name)
        topics_in_use.refuse_while_adding(db, topic_id)
        without_topic = _without_topic(topic.fanpage_id, opt_in_ids)
        # Their customers are locked, so that nobody withdraws from the topic while it is being assigned.
        theirs = select(col(OptIn.customer_id)).where(*without_topic).distinct()
        people = [each for each in db.execute(theirs).scalars() if each]
        row_locks.lock_customers(db, people)
        without_topic.append(col(OptIn.customer_id).in_(bulk.among(people)))
        count = ledger.assign_topic(db, without_topic, topic_id, now)
        if count:
            topic_rows.record(db, by, "opt_in.assign_topic", topic, now, count=count)
        return count


def _check(name: str, description: str) -> None:
    problems: list[Problem] = check_topic_name(name)
    if length(description) > DESCRIPTION_LIMIT:
        problems.append(
            problem(
                "description",
                N_("The note can have at most {limit} characters."),
                limit=DESCRIPTION_LIMIT,
            )
        )
    if problems:
        raise Invalid(problems)


def _check_name_is_free(db: Session, fanpage_id: int, name: str, *, but: int | None = None) -> None:
    others = select(col(Topic.id), col(Topic.name), col(Topic.archived_at)).where(
        col(Topic.fanpage_id) == fanpage_id
    )
    wanted = name_key(name)
    for topic_id, other, archived_at in db.execute(others):
        if topic_id == but or name_key(other) != wanted:
            continue
        if archived_at is None:
            raise Invalid([_taken(other)])
        raise Invalid(
            [
                problem(
                    "name",
                    N_("An archived topic is already called “{name}”. Restore it, or choose another name."),
                    name=other,
                )
            ]
        )


def _taken(name: str) -> Problem:
    return problem("name", N_("There is already a topic called “{name}”. Choose another name."), name=name)


def _without_topic(fanpage_id: int, opt_in_ids: Collection[int] | None) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = [col(OptIn.fanpage_id) == fanpage_id, col(OptIn.topic_id).is_(None)]
    if opt_in_ids is not None:
        made.append(col(OptIn.id).in_(list(opt_in_ids)))
    return made
