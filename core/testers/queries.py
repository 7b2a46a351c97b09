"""Reads testers, and what became of the tests that were sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.conversation.rules import ReplyState
from core.customers.names import full_name
from core.db.engine import reading
from core.db.tables import Customer, Reply, Tester, TesterMessage
from core.testers.rules import About
from core.text.collation import sort_key


@dataclass(frozen=True)
class TesterView:
    """A tester, or somebody who has not written their code word yet."""

    id: int
    name: str
    operator_id: int | None  # who "me" is
    code: str | None
    code_expires_at: datetime | None
    customer_id: int | None
    customer_name: str  # as Messenger knows them
    window_closes_at: datetime | None
    joined_at: datetime | None

    def may_get(self, now: datetime) -> bool:
        """Whether a test may be sent to them now."""
        return self.window_closes_at is not None and self.window_closes_at > now


@dataclass(frozen=True)
class TestView:
    """One test: to whom, and what became of its messages."""

    __test__ = False  # it is no test of pytest's

    id: int
    to: str
    sent_by: str
    created_at: datetime
    messages: int
    state: str  # of the message that went worst
    reason: str | None
    read_at: datetime | None
    tapped_at: datetime | None

    @property
    def is_under_way(self) -> bool:
        return self.state in (ReplyState.QUEUED, ReplyState.SENDING)


_WORST_FIRST = (
    ReplyState.QUEUED,
    ReplyState.SENDING,
    ReplyState.FAILED,
    ReplyState.UNKNOWN,
    ReplyState.SKIPPED,
    ReplyState.SENT,
)


def list_testers(fanpage_id: int) -> list[TesterView]:
    """The testers of a fanpage by name, then those who have not joined yet."""
    chosen = (
        select(Tester, Customer)
        .outerjoin(Customer, col(Customer.id) == col(Tester.customer_id))
        .where(col(Tester.fanpage_id) == fanpage_id)
    )
    with reading() as db:
        found = [_tester(*row) for row in db.execute(chosen)]
    return sorted(found, key=lambda each: (each.customer_id is None, sort_key(each.name), each.id))


def list_tests(about: About, about_id: int, *, limit: int = 5) -> list[TestView]:
    """The last tests of a message or a broadcast, the latest first."""
    chosen = (
        select(TesterMessage, col(Tester.name), Customer)
        .join(Customer, col(Customer.id) == col(TesterMessage.customer_id))
        .outerjoin(Tester, col(Tester.customer_id) == col(TesterMessage.customer_id))
        .where(col(TesterMessage.about) == about, col(TesterMessage.about_id) == about_id)
        .order_by(col(TesterMessage.id).desc())
        .limit(limit)
    )
    with reading() as db:
        tests = db.execute(chosen).all()
        ids = [test.id for test, *_ in tests]
        replies = select(Reply).where(col(Reply.tester_message_id).in_(ids)).order_by(col(Reply.id))
        rows = db.execute(replies).scalars().all() if ids else []
    return [_test(test, name or full_name(customer) or "–", rows) for test, name, customer in tests]


def _tester(row: Tester, customer: Customer | None) -> TesterView:
    known = full_name(customer) if customer else ""
    return TesterView(
        row.id or 0,
        row.name,
        row.operator_id,
        row.code,
        row.code_expires_at,
        row.customer_id,
        known,
        customer.window_closes_at if customer else None,
        row.joined_at,
    )


def _test(test: TesterMessage, to: str, rows: Sequence[Reply]) -> TestView:
    own = [row for row in rows if row.tester_message_id == test.id]
    worst = min(own, key=lambda row: _WORST_FIRST.index(ReplyState(row.state)), default=None)
    return TestView(
        test.id or 0,
        to,
        test.sent_by,
        test.created_at,
        len(own),
        worst.state if worst else ReplyState.SENT,
        worst.reason if worst else None,
        max((row.read_at for row in own if row.read_at), default=None),
        test.tapped_at,
    )
