"""`bench soak`: the whole product as `demo` runs it, for minutes, with faults of the platform on.

Customers of the pretend Messenger write, get answers, tap and get broadcasts; every page of the panel is
opened over and over; backups are made. What the processes take is looked at all the time, and at the end the
ledger is compared with the platform's own books.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select
from sqlmodel import col

from core.accounts import sessions
from core.accounts.queries import get_operator_named
from core.accounts.rules import COMMAND_LINE
from core.backups.actions import make_backup
from core.bench.databases import fresh_database
from core.bench.ingest import free_port
from core.bench.soak_watch import Pacer, Watched, children_of, count_errors
from core.broadcasts import actions
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.consent.queries import find_topic
from core.db.engine import forget_engines, reading, transaction
from core.db.tables import Broadcast, Delivery, Event, Fanpage, OptIn, Reply
from core.deliveries.rules import DeliveryState
from core.demo import story
from core.errors import OperatorError
from core.inbox.rules import EventState
from core.settings import override_settings, settings
from core.simulator.control_client import NotPossibleForPerson, SimulatorClient
from core.simulator.entities import Habit

FAULTS: dict[str, dict[str, Any]] = {
    "drop_before": {"share": 0.01},
    "drop_after": {"share": 0.01},
    "http_500_after": {"share": 0.01},
    "html_502_before": {"share": 0.01},
    "batch_null_after": {"share": 0.02},
    "temporary": {"share": 0.02},
    "blocked": {"share": 0.01},
    "webhook_duplicate": {"share": 0.1},
    "webhook_reorder": {"share": 0.1},
    "webhook_late": {"share": 0.02, "value": 3.0},
}
PROCESSES = {"webhook_server": "webhook server", "core worker": "worker", "streamlit": "panel"}
RATE = 40  # messages per second of the fanpage
BROADCAST_EVERY, BACKUP_EVERY, LOOK_EVERY = 30.0, 60.0, 5.0
START_SECONDS, PATIENCE_SECONDS = 120.0, 90.0
PAGES = (
    "overview",
    "topics",
    "messages",
    "broadcasts",
    "customers",
    "opt_ins",
    "activity",
    "health",
    "planner",
)


@dataclass
class Soak:
    """A soak that runs: what does something, and what has been done."""

    phone: SimulatorClient
    folder: Path
    watched: list[Watched]
    fanpage_id: int
    topic_id: int
    written: int = 0
    not_possible: int = 0
    broadcasts: int = 0
    backups: int = 0
    refused: int = 0

    def run(self, seconds: float, per_second: float) -> None:
        """Do everything at its pace."""
        chances = random.Random(1)
        doing: list[tuple[Pacer, Callable[[], None]]] = [
            (Pacer(1 / per_second), lambda: self._somebody_writes(chances)),
            (Pacer(BROADCAST_EVERY), self._broadcast),
            (Pacer(BACKUP_EVERY), self._back_up),
            (Pacer(LOOK_EVERY), self.look),
            (Pacer(1.0), self._visit),
        ]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for pacer, action in doing:
                if pacer.is_due():
                    action()
            time.sleep(0.005)

    def look(self) -> None:
        """Look at every process."""
        for each in self.watched:
            each.look(time.monotonic())

    def _somebody_writes(self, chances: random.Random) -> None:
        habit = chances.choice([Habit.TAPS_AT_ONCE, Habit.TAPS_AT_ONCE, Habit.IGNORES])
        name = {"first_name": f"Khách {self.written}", "last_name": "", "habit": habit}
        (person,) = self.phone.add_people(story.PAGE_ID, [name])
        self.written += 1
        try:
            self.phone.say(person["psid"], chances.choice(story.NEW_PRODUCTS.keywords))
        except NotPossibleForPerson:
            self.not_possible += 1

    def _broadcast(self) -> None:
        now = utc_now()
        content = {"kind": "text", "text": "{{first_name}} ơi, hàng mới đã về tiệm!"}
        made = actions.create_broadcast(COMMAND_LINE, topic_id=self.topic_id, content=content, now=now)
        try:
            actions.launch(COMMAND_LINE, made, now=now)
            self.broadcasts += 1
        except OperatorError:  # nobody new to send to
            self.refused += 1

    def _back_up(self) -> None:
        self.backups += 1
        make_backup(COMMAND_LINE, self.folder / f"soak-{self.backups}.db", now=utc_now())
        (self.folder / f"soak-{self.backups - 1}.db").unlink(missing_ok=True)

    def _visit(self) -> None:
        for path in ("/", "/_stcore/health"):
            requests.get(f"http://127.0.0.1:{settings().panel_port}{path}", timeout=PATIENCE_SECONDS)
        requests.get(f"http://127.0.0.1:{settings().webhook_port}/metrics", timeout=PATIENCE_SECONDS)


def run(*, minutes: float, per_second: float) -> dict[str, Any]:
    """Run everything for so long while so many customers write each second."""
    seconds = minutes * 60
    with tempfile.TemporaryDirectory() as folder, _demo_running() as demo, _a_phone() as phone:
        soak = _prepare(phone, Path(folder), demo)
        pages = _open_pages(seconds)
        soak.watched.append(Watched("pages", pages.pid))
        for name, fault in FAULTS.items():
            phone.fault(name, **fault)
        soak.run(seconds, per_second)
        phone.end_faults()
        opened = json.loads(pages.communicate(timeout=PATIENCE_SECONDS * 2)[0].splitlines()[-1])
        waited = _wait_until_done(phone)
        soak.look()
        figures = _figures(soak, opened)
    return {"minutes": minutes, "customers_per_second": per_second, "seconds_to_end": waited, **figures}


def _a_phone() -> SimulatorClient:
    return SimulatorClient(f"http://127.0.0.1:{settings().simulator_port}")


@contextmanager
def _demo_running() -> Iterator[subprocess.Popen[bytes]]:
    """The demo in a folder of its own, until it is seeded."""
    with fresh_database(None):
        ports = {f"{name}_port": str(free_port()) for name in ("panel", "webhook", "simulator")}
        override_settings(**ports)
        demo = subprocess.Popen(
            [sys.executable, "-m", "core", "demo"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            until = time.monotonic() + START_SECONDS
            while not _is_seeded():
                if demo.poll() is not None or time.monotonic() > until:
                    raise SystemExit("the demo did not start")
                time.sleep(1.0)
            yield demo
        finally:
            demo.terminate()
            demo.wait(PATIENCE_SECONDS)


def _is_seeded() -> bool:
    """Whether the last that the demo does has been done: a broadcast is on its way."""
    forget_engines()
    if not (settings().data_dir / "bench.db").exists():
        return False
    try:
        with reading() as db:
            last = col(Broadcast.name) == story.ON_ITS_WAY, col(Broadcast.state) == BroadcastState.SENDING
            return db.execute(select(col(Broadcast.id)).where(*last)).first() is not None
    except Exception:  # the tables are being made
        return False


def _prepare(phone: SimulatorClient, folder: Path, demo: subprocess.Popen[bytes]) -> Soak:
    with transaction() as db:
        fanpage = db.execute(select(Fanpage)).scalars().one()
        fanpage.rate = RATE
        fanpage_id = fanpage.id or 0
    topic_id = find_topic(fanpage_id, story.NEW_PRODUCTS.topic)
    if topic_id is None:
        raise SystemExit("the demo has no topic")
    return Soak(phone, folder, children_of(demo.pid, PROCESSES), fanpage_id, topic_id)


def _open_pages(seconds: float) -> subprocess.Popen[bytes]:
    """A process that opens every page over and over."""
    operator = get_operator_named("admin")
    with transaction() as db:
        _id, ticket = sessions.begin_session(db, operator.id, address="", browser="bench", now=utc_now())
    key = sessions.hash_of(sessions.trade_ticket(ticket, now=utc_now()) or "")
    asked = {"session": key, "places": [[path, {}] for path in PAGES], "rounds": 1, "seconds": seconds}
    started = subprocess.Popen(
        [sys.executable, "-m", "pages.shell.page_timer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if started.stdin is None:
        raise SystemExit("the pages could not be opened")
    started.stdin.write(json.dumps(asked).encode())
    started.stdin.close()
    started.stdin = None
    return started


def _wait_until_done(phone: SimulatorClient) -> float:
    """Until what was begun has come to its end. Returns how long that took."""
    began = time.monotonic()
    running = [BroadcastState.SENDING, BroadcastState.SCHEDULED]
    due = select(func.count()).where(col(Broadcast.state).in_(running), col(Broadcast.due_at) <= utc_now())
    pending = select(func.count()).where(col(Event.state) == EventState.PENDING)
    while time.monotonic() - began < PATIENCE_SECONDS:
        time.sleep(1.0)
        phone.webhooks_delivered(story.PAGE_ID, timeout=20)
        with reading() as db:
            if not db.scalar(due) and not db.scalar(pending):
                break
    return round(time.monotonic() - began, 1)


def _figures(soak: Soak, opened: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "customers_who_wrote": soak.written,
        "broadcasts": soak.broadcasts,
        "broadcasts_without_anybody": soak.refused,
        "backups": soak.backups,
        "pages_opened": sum(each["opened"] for each in opened),
        "pages_failed": sorted({each["problem"] for each in opened if each["problem"]}),
        "errors": count_errors(settings().data_dir / "logs"),
        **_balance(soak.phone.books(story.PAGE_ID, short=True)),
        "results": [each.figures() for each in soak.watched if each.seen],
    }


def _balance(books: dict[str, Any]) -> dict[str, Any]:
    """The ledger beside the platform's books."""
    with reading() as db:
        states = dict(
            db.execute(select(col(Delivery.state), func.count()).group_by(col(Delivery.state))).all()
        )
        audience = db.scalar(select(func.sum(col(Broadcast.audience)))) or 0
        opt_ins = db.scalar(select(func.count(col(OptIn.id)))) or 0
        events = dict(db.execute(select(col(Event.state), func.count()).group_by(col(Event.state))).all())
        replies = dict(db.execute(select(col(Reply.state), func.count()).group_by(col(Reply.state))).all())
        paused = db.execute(
            select(col(Broadcast.pause_code)).where(col(Broadcast.state) == BroadcastState.PAUSED)
        )
        paused_by = [code for (code,) in paused]
    sent, unknown = states.get(DeliveryState.SENT, 0), states.get(DeliveryState.UNKNOWN, 0)
    return {
        "deliveries": states,
        "audience_minus_deliveries": audience - sum(states.values()),
        "taken_by_platform": books["accepted_by_token"],
        "taken_minus_sent": books["accepted_by_token"] - sent,
        "of_these_unknown": unknown,
        "tokens_issued_minus_opt_ins": books["issued"] - opt_ins,
        "events": events,
        "replies": replies,
        "paused_by": paused_by,
    }
