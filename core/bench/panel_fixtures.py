"""Fills a database as a large shop's looks after half a year, for `bench panel`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, cast, func, insert, literal, null, select, text
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.consent.rules import OptInSource, OptInState, expires_at
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.rules import ReplyState
from core.db.engine import is_sqlite, transaction
from core.db.tables import (
    Broadcast,
    Customer,
    Delivery,
    Event,
    Fanpage,
    FanpageRate,
    OptIn,
    Reply,
    Request,
    Topic,
    UtcTime,
)
from core.deliveries.rules import DeliveryState
from core.encryption import encrypt

TOPICS = 8
DAYS = 180  # over which customers have come
NAMES = ("Lan", "Mai", "Hạnh", "Ngọc", "Phương Anh", "Thảo", "Linh", "Trang")
WORDINGS = ("Báo tôi khi có hàng mới", "Báo tôi khi có khuyến mãi")
ENTRIES = (EntryKind.KEYWORD, EntryKind.REF, EntryKind.GET_STARTED)


@dataclass(frozen=True)
class Size:
    """How large: customers, each with an opt-in that is or was open; finished broadcasts, and the recipients
    of each, who had one more opt-in that it spent."""

    people: int
    broadcasts: int
    recipients: int


@dataclass(frozen=True)
class Shop:
    """What was made."""

    fanpage_id: int
    topic_ids: tuple[int, ...]
    broadcast_ids: tuple[int, ...]  # finished, the last one last


def create_shop(size: Size) -> Shop:
    """Create a fanpage with its customers, requests, opt-ins, events and finished broadcasts."""
    now = utc_now()
    shop = _create_fanpage(now)
    for day in range(DAYS):
        first, last = size.people * day // DAYS, size.people * (day + 1) // DAYS
        if first < last:
            at = now - timedelta(days=DAYS - day, hours=1)
            with transaction() as db:
                _add_customers(db, shop, first, last, at)
    found = [_add_broadcast(shop, size, number, now) for number in range(size.broadcasts)]
    with transaction() as db:
        if not is_sqlite(db):  # what autovacuum does within a minute; SQLite plans by the indexes alone
            db.execute(text("ANALYZE"))
    return Shop(shop.fanpage_id, shop.topic_ids, tuple(found))


def _create_fanpage(now: datetime) -> Shop:
    with transaction() as db:
        fanpage = Fanpage(
            page_id="1", name="Bench", rate=25, timezone="Asia/Ho_Chi_Minh", created_at=now, updated_at=now
        )
        db.add(fanpage)
        db.flush()
        fanpage_id = fanpage.id or 0
        topics = [
            Topic(fanpage_id=fanpage_id, name=f"Hàng mới {n + 1}", created_at=now, updated_at=now)
            for n in range(TOPICS)
        ]
        db.add_all([*topics, FanpageRate(fanpage_id=fanpage_id)])
        db.flush()
        return Shop(fanpage_id, tuple(topic.id or 0 for topic in topics), ())


def _add_customers(db: Session, shop: Shop, first: int, last: int, at: datetime) -> None:
    """Customers of one day: each was asked and agreed, wrote once and was answered."""
    before = _highest(db, Customer.id)
    numbers = _numbers(first, last)
    n = numbers.c.n
    psid = cast(literal(25_000_000_000_000_000, Customer.__table__.c.id.type) + n, String)  # type: ignore[attr-defined]
    name: Any = case(dict(enumerate(NAMES)), value=n % len(NAMES))
    lost = [case((n % 100 == 0, _time(at)), else_=null()) for _ in range(2)]
    _insert(
        db,
        Customer,
        {
            "fanpage_id": literal(shop.fanpage_id),
            "psid": psid,
            "first_name": name,
            "last_name": literal("Nguyễn"),
            "search_text": literal("nguyen ") + func.lower(name) + literal(" ") + psid,
            "locale": literal("vi_VN"),
            "unreachable_code": case((n % 100 == 0, literal("blocked")), else_=null()),
            "unreachable_at": lost[0],
            "unreachable_firm_at": lost[1],
            "last_event_at": _time(at),
            "created_at": _time(at),
        },
        select().select_from(numbers),
    )
    people = select().where(col(Customer.id) > before)
    large, *small = shop.topic_ids  # half of the customers are of one topic
    of_small: dict[int, int] = dict(enumerate(small))
    nth: Any = col(Customer.id) % (2 * len(small))
    topic: Any = case(of_small, value=nth, else_=large)
    state = case(
        (col(Customer.id) % 10 == 0, literal(OptInState.EXPIRED)), else_=literal(OptInState.AVAILABLE)
    )
    _add_opt_ins(db, people, "o", topic, state, at)
    _add_talk(db, shop, people, at)


def _add_opt_ins(db: Session, people: Select[Any], sign: str, topic: Any, state: Any, at: datetime) -> int:
    """A request and an opt-in of each of these people; `sign` tells them from others. Returns the highest id
    of an opt-in before."""
    before = _highest(db, OptIn.id)
    key = cast(col(Customer.id), String) + literal(f"-{sign}")
    nth = col(Customer.id)
    _insert(
        db,
        Request,
        {
            "fanpage_id": col(Customer.fanpage_id),
            "customer_id": col(Customer.id),
            "topic_id": topic,
            "entry_kind": case(dict(enumerate(ENTRIES)), value=nth % len(ENTRIES)),
            "entry_value": case((nth % len(ENTRIES) == 2, literal("")), else_=literal("hangmoi")),
            "title": case(dict(enumerate(WORDINGS)), value=nth % len(WORDINGS)),
            "test": literal(""),
            "variant": literal(""),
            "after_text": literal("Cảm ơn bạn!"),
            "payload": key,
            "tapped_at": _time(at),
            "created_at": _time(at),
        },
        people,
    )
    _insert(
        db,
        OptIn,
        {
            "fanpage_id": col(Request.fanpage_id),
            "customer_id": col(Request.customer_id),
            "topic_id": col(Request.topic_id),
            "request_id": col(Request.id),
            "promise": col(Request.title),
            "token_hash": literal("0" * 40 + "-") + key,
            "token_sealed": literal(encrypt("bench-token-" + "x" * 100)),
            "state": state,
            "source": literal(OptInSource.WEBHOOK),
            "consented_at": _time(at),
            "expires_at": _time(expires_at(at)),
            "created_at": _time(at),
        },
        people.join(Request, col(Request.payload) == key),
    )
    return before


def _add_talk(db: Session, shop: Shop, people: Select[Any], at: datetime) -> None:
    """The webhook event of each of these people, and the answer to some."""
    _insert(
        db,
        Event,
        {
            "page_id": literal("1"),
            "kind": literal("message"),
            "dedupe_key": col(Customer.psid),
            "occurred_at": _time(at),
            "received_at": _time(at),
            "psid": col(Customer.psid),
            "body": literal("{}"),
            "state": literal("applied"),
            "applied_at": _time(at),
        },
        people,
    )
    _insert(
        db,
        Reply,
        {
            "fanpage_id": literal(shop.fanpage_id),
            "customer_id": col(Customer.id),
            "body": literal({"text": "Chào bạn!"}, Reply.__table__.c.body.type),  # type: ignore[attr-defined]
            "begins_answer": literal(True),
            "state": literal(ReplyState.SENT),
            "tries": literal(1),
            "mid": literal("m_r") + cast(col(Customer.id), String),
            "created_at": _time(at),
            "settled_at": _time(at),
            "delivered_at": _time(at),
        },
        people.where(col(Customer.id) % 5 == 0),
    )


def _add_broadcast(shop: Shop, size: Size, number: int, now: datetime) -> int:
    """A finished broadcast to its part of the customers, one a day until yesterday."""
    at = now - timedelta(days=(size.broadcasts - number) % 364 + 1, minutes=number)
    topic_id = shop.topic_ids[number % TOPICS]
    with transaction() as db:
        lowest = int(db.execute(select(func.min(col(Customer.id)))).scalar_one())
        start = lowest + number * size.recipients % max(1, size.people - size.recipients + 1)
        people = select().where(col(Customer.id).between(start, start + size.recipients - 1))
        asked_at = at - timedelta(days=9)
        spent = literal(OptInState.SPENT)
        before = _add_opt_ins(db, people, f"b{number}", literal(topic_id), spent, asked_at)
        broadcast = Broadcast(
            fanpage_id=shop.fanpage_id,
            topic_id=topic_id,
            name=f"Hàng mới về đợt {number + 1}",
            content={"kind": "text", "text": "Hàng mới đã về!"},
            state=BroadcastState.FINISHED,
            due_at=at,
            audience=size.recipients,
            created_by="bench",
            launched_by="bench",
            approved_version=1,
            approved_by="bench",
            approved_at=at,
            created_at=at,
            updated_at=at,
            started_at=at,
            finished_at=at + timedelta(minutes=9),
            told_at=at,
            seen_at=at,
        )
        db.add(broadcast)
        db.flush()
        _add_deliveries(db, broadcast.id or 0, before, at)
    return broadcast.id or 0


def _add_deliveries(db: Session, broadcast_id: int, before: int, at: datetime) -> None:
    nth = col(OptIn.id)
    sent = nth % 50 != 0
    state = case((sent, literal(DeliveryState.SENT)), else_=literal(DeliveryState.FAILED))
    _insert(
        db,
        Delivery,
        {
            "broadcast_id": literal(broadcast_id),
            "customer_id": col(OptIn.customer_id),
            "opt_in_id": col(OptIn.id),
            "state": state,
            "reason": case((sent, null()), else_=literal("blocked")),
            "attempt": literal(1),
            "tries": literal(1),
            "in_doubt": literal(False),
            "mid": case((sent, literal("m_") + cast(nth, String)), else_=null()),
            "claimed_at": _time(at),
            "settled_at": _time(at + timedelta(minutes=2)),
            "delivered_at": case((sent & (nth % 20 != 1), _time(at + timedelta(minutes=3))), else_=null()),
            "read_at": case((sent & (nth % 5 > 1), _time(at + timedelta(hours=2))), else_=null()),
            "replied_at": case((sent & (nth % 25 == 1), _time(at + timedelta(hours=3))), else_=null()),
        },
        select().where(col(OptIn.id) > before).order_by(col(OptIn.id)),
    )


def _highest(db: Session, key: Any) -> int:
    return int(db.execute(select(func.coalesce(func.max(col(key)), 0))).scalar_one())


def _insert(db: Session, table: Any, values: dict[str, Any], rows: Select[Any]) -> None:
    chosen = rows.add_columns(*values.values())
    db.execute(insert(table).from_select(list(values), chosen, include_defaults=False))


def _numbers(first: int, last: int) -> Any:
    """The numbers from `first` to below `last`."""
    series = select(literal(first).label("n")).cte("numbers", recursive=True)
    return series.union_all(select(series.c.n + 1).where(series.c.n + 1 < last))


def _time(at: datetime) -> ColumnElement[Any]:
    return literal(at, UtcTime())
