"""Finds what people outside the panel are to be told of, in the installation's language.

A condition holds as long as it is found. Its words hold names that staff gave, never a customer's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import col

from core.backups import queries as backups
from core.broadcasts.ended_broadcasts import End, list_untold
from core.broadcasts.rules import CANARY_FAILED, BroadcastState, alike_reason
from core.consent.opt_in_count_queries import get_stock_of
from core.consent.queries import list_topic_names
from core.db import holding
from core.db.engine import reading
from core.db.tables import Broadcast, Event, Heartbeat
from core.errors import N_
from core.fanpages.queries import FanpageView, list_fanpages
from core.fanpages.rules import describe_policy, describe_problem
from core.fanpages.set_up_findings import FINDINGS, Finding
from core.fanpages.set_up_queries import is_clock_off, read_conditions
from core.inbox.rules import EventState
from core.installation import disk_room
from core.installation.heartbeat import WEBHOOK, is_of_kind, list_worker_machines, this_machine
from core.messenger.reasons import describe
from core.settings import settings
from core.text.catalogues import say_in

ENDED = "broadcast.ended"
DISK = "disk"
SILENT_FOR = timedelta(minutes=3)  # a restart takes less, and is told to nobody
USE_WITHIN = 7  # days
MORNING = timedelta(hours=8)  # on the fanpage's clock; a new week's conditions begin then


@dataclass(frozen=True)
class Condition:
    """Something to tell. While it holds, the key stays the same."""

    key: str
    title: str
    text: str
    begins: bool = True  # False: too little for an alert, and not yet the end of one


def find_conditions(*, now: datetime) -> list[Condition]:
    """Every condition that somebody has to be told of, as things are now."""
    fanpages = list_fanpages()
    return [
        *_held(),
        *_silent(now),
        *_broadcasts(),
        *_fanpages(fanpages, now),
        *_dead_events(),
        *_backups(now),
        *_disks(),
        *_clock(),
        *_lapsing(fanpages, now),
        *(_ended(end) for end in list_untold(now=now)),
    ]


def judged_elsewhere(keys: Iterable[str]) -> set[str]:
    """Those of the conditions that only another machine can see, while a worker runs there."""
    others = {key for key in keys if key.startswith(f"{DISK}:") and _machine(key) != this_machine()}
    running = list_worker_machines() if others else set()
    return {key for key in others if _machine(key) in running}


def _machine(key: str) -> str:
    return key.split(":")[1]


def test_condition() -> Condition:
    """What a test alert says."""
    text = N_(
        "This is how Notify Once tells you that something needs your attention. Nothing is wrong right now."
    )
    return _condition("test", N_("A test alert"), text)


def words_of(conditions: Sequence[Condition]) -> tuple[str, str]:
    """The title and the text of an alert that tells of these conditions together."""
    (first, *others), panel = conditions, settings().panel_url
    title, parts = first.title, [first.text]
    if others:
        more = say_in(settings().language)(N_("{first} (and {n} more)"))
        title = more.format(first=first.title, n=len(others))
        parts = [f"{each.title}\n{each.text}" for each in conditions]
    return title, "\n\n".join([*parts, panel] if panel else parts)


def _condition(key: str, title: str, text: str, **values: object) -> Condition:
    say = say_in(settings().language)
    return Condition(key, say(title).format(**values), say(text).format(**values))


def _held() -> Iterator[Condition]:
    if found := holding.current_hold():
        yield _condition(f"hold:{found.code}", N_("Nothing is sent"), found.template, place=found.place)


def _silent(now: datetime) -> Iterator[Condition]:
    webhooks = select(func.max(Heartbeat.at)).where(is_of_kind(WEBHOOK))
    with reading() as db:
        last = db.scalar(webhooks)
    if last is not None and now - last > SILENT_FOR:
        text = N_(
            "Customers' taps and messages are not arriving. Start it soon: Facebook only retries for a while."
        )
        yield _condition("webhook.silent", N_("The webhook server is not running"), text)


def _broadcasts() -> Iterator[Condition]:
    """Those that paused themselves. One that waits for its fanpage's repair is that fanpage's condition."""
    paused = select(col(Broadcast.id), col(Broadcast.name), col(Broadcast.pause_code)).where(
        col(Broadcast.state) == BroadcastState.PAUSED, col(Broadcast.pause_code).is_not(None)
    )
    with reading() as db:
        rows = db.execute(paused).all()
    for broadcast_id, name, code in rows:
        key, title = f"broadcast.paused:{broadcast_id}", N_("Paused itself: “{name}”")
        if (reason := alike_reason(code)) is not None:
            text = N_("Messenger refused one message after another for the same reason. {why}")
            why = say_in(settings().language)(describe(reason))
            yield _condition(key, title, text, name=name, why=why)
        elif code == CANARY_FAILED:
            text = N_(
                "Too many messages in the first part failed. Look at them, then send the rest or cancel."
            )
            yield _condition(key, title, text, name=name)


def _fanpages(fanpages: list[FanpageView], now: datetime) -> Iterator[Condition]:
    accepted = read_conditions(now=now).accepted
    title = N_("“{name}” needs your attention")
    for each in fanpages:
        if each.stopped_code:
            yield _condition(f"fanpage.stopped:{each.id}", title, describe(each.stopped_code), name=each.name)
        if each.otn_off_at is not None:
            off = N_(
                "{by} turned one-time notifications off. The fanpage's broadcasts wait until they are "
                "back on."
            )
            yield _condition(f"fanpage.otn_off:{each.id}", title, off, name=each.name, by=each.otn_off_by)
        if each.policy is not None and not each.policy.is_seen and each.policy.action != "unblock":
            key = f"fanpage.policy:{each.id}:{each.policy.action}"
            yield _condition(key, title, describe_policy(each.policy.action), name=each.name)
        for code in each.problems:
            if (each.page_id, code) not in accepted:
                yield _condition(f"fanpage.{code}:{each.id}", title, describe_problem(code), name=each.name)


def _dead_events() -> Iterator[Condition]:
    """Those of one day are one condition, so that later ones are told of as well."""
    failed = select(func.count(), func.max(Event.received_at)).where(col(Event.state) == EventState.FAILED)
    with reading() as db:
        count, latest = db.execute(failed).one()
    if count:
        text = N_(
            "Failed events: {count}. They are kept. Their page shows why, and lets you process them again."
        )
        title = N_("Some customer actions could not be processed")
        yield _condition(f"events.failed:{latest.date()}", title, text, count=count)


def _backups(now: datetime) -> Iterator[Condition]:
    for template, values in backups.problems(now=now):
        # Each trouble is a condition of its own, or one that lasts would hide those that come later.
        kind = hashlib.sha256(f"{template}{values.get('file', '')}".encode()).hexdigest()[:12]
        yield _condition(f"backup:{kind}", N_("A problem with backups"), template, **values)


def _clock() -> Iterator[Condition]:
    if is_clock_off():
        yield _condition("clock", N_("The clock is wrong"), FINDINGS[Finding.CLOCK_OFF])


def _disks() -> Iterator[Condition]:
    for disk in disk_room.list_disks():
        if disk.free < disk_room.ENOUGH_MB:
            key = f"{DISK}:{this_machine()}:{str(disk.folder)[-100:]}"
            found = _condition(key, N_("A disk is almost full"), disk_room.LOW, **disk.values)
            yield replace(found, begins=disk.free < disk_room.LOW_MB)


def _lapsing(fanpages: list[FanpageView], now: datetime) -> Iterator[Condition]:
    """Use or lose: those of a week are one condition."""
    for fanpage in fanpages:
        local = now.astimezone(ZoneInfo(fanpage.timezone))
        stock = get_stock_of(fanpage.id)
        if stock is None:
            continue
        ending = {
            topic.name: stock.of(topic.id).ending_within(USE_WITHIN, local.date())
            for topic in list_topic_names(fanpage.id)
        }
        if not any(ending.values()):
            continue
        year, week, _day = (local - MORNING).isocalendar()
        topics = ", ".join(f"{name}: {count}" for name, count in ending.items() if count)
        text = N_("You have {days} days left to use them. {topics}")
        yield _condition(
            f"opt_ins.lapsing:{fanpage.id}:{year}-{week}",
            N_("“{name}”: {count} opt-ins end soon"),
            text,
            name=fanpage.name,
            count=sum(ending.values()),
            days=USE_WITHIN,
            topics=topics,
        )


def _ended(end: End) -> Condition:
    titles = {
        BroadcastState.MISSED: N_("Missed: “{name}”"),
        BroadcastState.CANCELLED: N_("Cancelled: “{name}”"),
    }
    title = titles.get(BroadcastState(end.state), N_("Ended: “{name}”"))
    text = N_("{sent} of {audience} customers got it. Launched by {who}.")
    if end.state == BroadcastState.MISSED:
        text = N_("It could not start before its send-by time, so nothing was sent. Launched by {who}.")
    values = {"name": end.name, "sent": end.sent, "audience": end.audience, "who": end.launched_by or "–"}
    return _condition(f"{ENDED}:{end.id}", title, text, **values)
