"""Sends messages and broadcasts to a tester: as ordinary messages inside the 24-hour window.

A test is recorded as a TesterMessage with its replies. It is no request, no delivery and no part of any
figure, and it takes no opt-in. The worker sends it with the other replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts.readiness import check_content
from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import kind_of
from core.conversation.draft_checks import find_problems_in
from core.conversation.drafts import BlockDraft
from core.conversation.payloads import TEST_PAYLOAD
from core.conversation.reply_queue import Queued, queue_replies
from core.conversation.rules import ReplyState, render
from core.conversation.versions import draft_of, get_row
from core.conversation.wording_tests import choose_wording
from core.db.engine import transaction
from core.db.tables import Broadcast, Customer, Fanpage, Message, Reply, Tester, TesterMessage
from core.errors import N_, Invalid, NotFound, WrongState
from core.messenger import wire
from core.testers.rules import About

_GONE = N_("This tester is no longer on the list.")
WINDOW_CLOSED = N_(
    "Facebook lets a fanpage write to a tester only within 24 hours after the tester last wrote. Write "
    "anything to {fanpage} from {name}'s phone first, then send the test again."
)
_STOPPED = N_("Sending is stopped for {fanpage}; see “Health” for the reason. Nothing was sent.")
_UNDER_WAY = (ReplyState.QUEUED, ReplyState.SENDING)


def send_message_test(by: Actor, tester_id: int, message_id: int, *, now: datetime) -> int:
    """Send a message to a tester as it is being written, whether or not it is published. Returns the id of
    the test: that of the one under way, if the same is on its way already."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Tester, tester_id), of(Message, message_id), now=now)
        row = get_row(db, message_id)
        draft = draft_of(db, row)
        problems = [one for one in find_problems_in(db, draft) if one.field.startswith("blocks")]
        if problems:
            raise Invalid(problems)
        return _send(db, by, tester_id, About.MESSAGE, row, draft.blocks, now)


def send_broadcast_test(by: Actor, tester_id: int, broadcast_id: int, *, now: datetime) -> int:
    """Send what a broadcast says to a tester, in whatever state the broadcast is. Returns the id of the
    test, as `send_message_test` does."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Tester, tester_id), of(Broadcast, broadcast_id), now=now)
        row = db.get(Broadcast, broadcast_id)
        if row is None:
            raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
        if problems := check_content(db, row.fanpage_id, row.content, lock=False):
            raise Invalid(problems)
        block = BlockDraft(row.content["kind"], row.content)
        return _send(db, by, tester_id, About.BROADCAST, row, [block], now)


def _send(
    db: Session,
    by: Actor,
    tester_id: int,
    about: About,
    subject: Message | Broadcast,
    blocks: Sequence[BlockDraft],
    now: datetime,
) -> int:
    tester = db.get(Tester, tester_id)
    if tester is None or tester.fanpage_id != subject.fanpage_id:
        raise NotFound(_GONE)
    customer = _locked(db, tester)
    if under_way := _under_way(db, customer, about, subject):
        return under_way
    _refuse(db, tester, customer, now)
    made = TesterMessage(
        fanpage_id=subject.fanpage_id,
        customer_id=customer.id or 0,
        about=about,
        about_id=subject.id or 0,
        sent_by=by.name,
        created_at=now,
    )
    db.add(made)
    db.flush()
    bodies, made.after_texts = _written(blocks, made.id or 0, customer.id or 0)
    queue_replies(db, Queued(subject.fanpage_id, customer.id or 0, bodies, made.id), now)
    about_it: dict[str, Any] = {"subject_id": subject.id, "subject": subject.name}
    record(db, by, f"{about}.test", now=now, fanpage_id=subject.fanpage_id, **about_it)
    return made.id or 0


def _locked(db: Session, tester: Tester) -> Customer:
    """The tester as a customer. Two clicks wait for each other here."""
    chosen = select(Customer).where(col(Customer.id) == tester.customer_id)
    customer: Customer | None = db.execute(chosen.with_for_update(key_share=True)).scalar_one_or_none()
    if customer is None:
        raise WrongState(N_("{name} has not written the code word to the fanpage yet."), name=tester.name)
    return customer


def _under_way(db: Session, customer: Customer, about: About, subject: Message | Broadcast) -> int | None:
    chosen = (
        select(col(TesterMessage.id))
        .join(Reply, col(Reply.tester_message_id) == col(TesterMessage.id))
        .where(
            col(TesterMessage.customer_id) == customer.id,
            col(TesterMessage.about) == about,
            col(TesterMessage.about_id) == subject.id,
            col(Reply.state).in_(_UNDER_WAY),
        )
    )
    return db.execute(chosen.limit(1)).scalar_one_or_none()


def _refuse(db: Session, tester: Tester, customer: Customer, now: datetime) -> None:
    fanpage = db.get_one(Fanpage, tester.fanpage_id)
    if fanpage.stopped_code:
        raise WrongState(_STOPPED, fanpage=fanpage.name)
    if customer.window_closes_at is None or customer.window_closes_at <= now:
        raise WrongState(WINDOW_CLOSED, fanpage=fanpage.name, name=tester.name)


def _written(
    blocks: Sequence[BlockDraft], test_id: int, customer_id: int
) -> tuple[list[tuple[None, wire.Message]], list[str]]:
    """The messages of the blocks, and what the bot says after a tap on each request among them. A request
    leads its tap back to the test."""
    bodies: list[tuple[None, wire.Message]] = []
    after: list[str] = []
    for block in blocks:
        kind = kind_of(block.kind)
        if not isinstance(kind, AskingKind):
            bodies.append((None, render(block.kind, block.content)))
            continue
        content = choose_wording(block.content, customer_id).content
        payload = f"{TEST_PAYLOAD}{test_id}.{len(after)}"
        bodies.append((None, kind.render_request(content, payload)))
        after.append(kind.promise(content).after)
    return bodies, after
