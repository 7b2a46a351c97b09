"""Fills an empty demo by the product's own means: actions, signed webhooks, and the worker.

Every step checks first whether it was done, so that an interrupted start goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from core.accounts.rules import SYSTEM, Actor, Role
from core.broadcasts.actions import create_broadcast, launch, schedule
from core.broadcasts.queries import BroadcastView, get_broadcast, list_broadcasts
from core.broadcasts.rules import BroadcastState
from core.clock import local_to_utc, utc_now
from core.consent.actions import create_topic
from core.consent.customer_queries import count_customers
from core.consent.queries import find_topic, list_topics
from core.consent.scheduled_jobs import expire_due
from core.conversation.actions import save_message
from core.conversation.drafts import EntryDraft
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.queries import message_names
from core.customers.profiles import fetch_missing_profiles
from core.demo import backdating, conversations, english, story
from core.demo.past import Past, PastRequest, first_broadcast_at, invent
from core.fanpages.actions import connect, set_rate
from core.fanpages.connection import DEMO_SECRET_FILE, messenger_for
from core.fanpages.queries import FanpageView, find_by_page_id
from core.messenger import wire
from core.settings import kept_secret, settings
from core.simulator.control_client import NotPossibleForPerson, SimulatorClient, SimulatorUnreachable
from core.simulator.entities import Habit

log = structlog.get_logger(__name__)

STAFF = Actor(id=None, name=story.STAFF, role=Role.ADMIN)
OPENED = timedelta(days=400)  # when the shop began with all this
WAIT_SECONDS = 30.0
FAST = {"read_seconds": 0.3, "delivery_seconds": 0.1, "calls_per_second": 0}
LIFELIKE = {"read_seconds": 4.0, "delivery_seconds": 0.4, "calls_per_second": 300}
PAGE_TOKEN_FILE = "demo-page.secret"
BLOCKED_BEFORE = 3  # people who had blocked the shop before its first broadcast


def seed(now: datetime) -> None:
    """Create the demo fanpage with its past, a finished broadcast, one that is being sent and
    one for tomorrow."""
    with SimulatorClient(f"http://127.0.0.1:{settings().simulator_port}") as phone:
        try:
            fanpage = _fanpage(phone, now)
            if not _broadcast(fanpage, story.ON_ITS_WAY):
                _fill(phone, fanpage, now)
        except (
            SimulatorUnreachable,
            NotPossibleForPerson,
        ) as problem:  # a demo half filled is still worth opening
            log.warning("demo_seeding_failed", problem=str(problem))


def _fill(phone: SimulatorClient, fanpage: FanpageView, now: datetime) -> None:
    phone.settings(**FAST)
    topics = _topics(fanpage, now - OPENED)
    messages = _messages(fanpage, topics, now - OPENED)
    past = invent(_people(phone), now, first_broadcast_at(now, fanpage.timezone))
    if not any(topic.total for topic in list_topics(fanpage.id, now=now)):
        _write_first(phone, fanpage, past, now)
        _consent(phone, fanpage, past.asked, topics, messages)
        while fetch_missing_profiles(messenger_for, now=now):
            pass
    _send_first(phone, fanpage, topics, past, now)
    _consent(phone, fanpage, past.asked_since, topics, messages)
    backdating.date_customers(fanpage.id, past.contacts)
    expire_due(now=now)
    set_rate(SYSTEM, fanpage.id, story.RATE, now=now)
    _schedule_next(fanpage, topics, now)
    _launch(_draft(topics, story.NEW_PRODUCTS, story.ON_ITS_WAY, now), now)
    phone.settings(**LIFELIKE)
    _somebody_writes(phone)


def _fanpage(phone: SimulatorClient, now: datetime) -> FanpageView:
    """Set up the page at the simulator, whose address may have changed, and connect the fanpage to it."""
    token = kept_secret(PAGE_TOKEN_FILE)
    known = find_by_page_id(story.PAGE_ID)
    if known is None and any(page["page_id"] == story.PAGE_ID for page in phone.pages()):
        phone.remove_page(story.PAGE_ID)  # left over from a database that is gone
    shown = phone.save_page(
        story.PAGE_ID,
        name=story.PAGE_NAME,
        token=token,
        app_secret=kept_secret(DEMO_SECRET_FILE),
        webhook_url=f"http://127.0.0.1:{settings().webhook_port}/webhook",
        approved_fields=["locale"],
    )
    if known is not None and known.has_token and shown["subscribed_fields"]:
        return known
    return connect(SYSTEM, page_id=story.PAGE_ID, name=story.PAGE_NAME, token=token, is_demo=True, now=now)


def _topics(fanpage: FanpageView, now: datetime) -> dict[str, int]:
    found = {}
    for each in story.STORIES:
        found[each.topic] = find_topic(fanpage.id, each.topic) or create_topic(
            STAFF, fanpage.id, name=each.topic, description=each.description, now=now
        )
    return found


def _messages(fanpage: FanpageView, topics: dict[str, int], now: datetime) -> dict[str, int]:
    found = {name: key for key, name in message_names(fanpage.id).items()}
    for each in story.STORIES:
        if each.message not in found:
            blocks, entries = story.asking_blocks(each, topics[each.topic]), story.entries(each)
            found[each.message] = save_message(
                STAFF,
                fanpage.id,
                name=each.message,
                blocks=blocks,
                entry_points=entries,
                translations=english.asking_blocks(each.message, topics[each.topic]),
                now=now,
            )
    if story.WELCOME not in found:
        found[story.WELCOME] = save_message(
            STAFF,
            fanpage.id,
            name=story.WELCOME,
            blocks=story.welcome_blocks(found),
            entry_points=[EntryDraft(EntryKind.GET_STARTED)],
            translations=english.welcome_blocks(found),
            now=now,
        )
    return found


def _people(phone: SimulatorClient) -> list[str]:
    known = phone.people(story.PAGE_ID) or phone.add_people(story.PAGE_ID, story.people())
    return [each["psid"] for each in sorted(known, key=lambda each: each["habit"] != Habit.PASSIVE)]


def _write_first(phone: SimulatorClient, fanpage: FanpageView, past: Past, now: datetime) -> None:
    """Let everybody write for the first time, by webhooks that come too late to be answered."""
    met = {each["psid"] for each in phone.people(story.PAGE_ID) if each["met"]}
    fresh = {psid: at for psid, at in past.contacts.items() if psid not in met}
    phone.act_all([{"psid": psid, "act": "get_started", "at": at.timestamp()} for psid, at in fresh.items()])
    _wait("the webhook server", lambda: count_customers(fanpage.id, now=now) >= len(past.contacts))


def _consent(
    phone: SimulatorClient,
    fanpage: FanpageView,
    asked: list[PastRequest],
    topics: dict[str, int],
    messages: dict[str, int],
) -> None:
    """Record past requests, and let the taps on them come in by signed webhooks."""
    before = _opt_ins(fanpage)
    payloads = backdating.record_past_requests(fanpage.id, asked, topics, messages)
    acts: list[dict[str, Any]] = []
    for each, payload in zip(asked, payloads, strict=True):
        acts += conversations.conversation(each, wire.one_time_request(each.story.promise, payload), payload)
    phone.act_all(acts)
    taps = sum(each.tapped for each in asked)
    _wait("the webhook server", lambda: _opt_ins(fanpage) >= before + taps)


def _opt_ins(fanpage: FanpageView) -> int:
    return sum(topic.total for topic in list_topics(fanpage.id, now=utc_now()))


def _send_first(
    phone: SimulatorClient, fanpage: FanpageView, topics: dict[str, int], past: Past, now: datetime
) -> None:
    """Let the worker send the finished broadcast, then date it back."""
    known = _broadcast(fanpage, story.FINISHED)
    if known and known.state == BroadcastState.FINISHED:
        return
    for each in [each for each in past.asked if each.story is story.PEONIES and each.tapped][:BLOCKED_BEFORE]:
        phone.change_person(each.psid, blocked=True)
    set_rate(SYSTEM, fanpage.id, 40, now=now)
    then = first_broadcast_at(now, fanpage.timezone)
    broadcast_id = _launch(known.id if known else _draft(topics, story.PEONIES, story.FINISHED, then), then)
    _wait("the worker", lambda: get_broadcast(broadcast_id).state == BroadcastState.FINISHED)
    phone.webhooks_delivered(story.PAGE_ID, timeout=5)
    _wait_until_quiet(broadcast_id)
    if get_broadcast(broadcast_id).state != BroadcastState.FINISHED:
        return  # a slow machine: it goes on under today's date
    backdating.date_broadcast(broadcast_id, now - then)
    phone.date_earlier(story.PAGE_ID, (now - then).total_seconds())


def _wait_until_quiet(broadcast_id: int) -> None:
    """Wait until the number of readers has not changed for a second, at most six seconds."""
    read, since = -1, time.monotonic()
    until = since + 6
    while time.monotonic() < until and time.monotonic() - since < 1:
        latest = get_broadcast(broadcast_id).read
        if latest != read:
            read, since = latest, time.monotonic()
        time.sleep(0.1)


def _schedule_next(fanpage: FanpageView, topics: dict[str, int], now: datetime) -> None:
    """Schedule a broadcast for tomorrow at nine in the shop's zone, with a best-before of noon."""
    if _broadcast(fanpage, story.SCHEDULED):
        return
    broadcast_id = _draft(topics, story.TET, story.SCHEDULED, now)
    tomorrow = now.astimezone(ZoneInfo(fanpage.timezone)) + timedelta(days=1)
    nine = tomorrow.replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)
    at = local_to_utc(nine, fanpage.timezone)
    schedule(STAFF, broadcast_id, at=at, best_before=at + timedelta(hours=3), now=now)


def _somebody_writes(phone: SimulatorClient) -> None:
    """Let a few people write now, so that answers, requests and taps can be watched."""
    lively = [each for each in phone.people(story.PAGE_ID) if each["habit"].startswith("taps_")][:9]
    acts = [
        {"psid": each["psid"], "act": "say", "text": story.STORIES[number % 3].keywords[0]}
        for number, each in enumerate(lively)
    ]
    phone.act_all(acts)


def _draft(topics: dict[str, int], about: story.Story, name: str, now: datetime) -> int:
    content = story.broadcast_content(name)
    return create_broadcast(STAFF, topic_id=topics[about.topic], content=content, name=name, now=now)


def _launch(broadcast_id: int, now: datetime) -> int:
    launch(STAFF, broadcast_id, best_before=None, now=now)  # `now` may be weeks ago
    return broadcast_id


def _broadcast(fanpage: FanpageView, name: str) -> BroadcastView | None:
    return next((each for each in list_broadcasts(fanpage.id) if each.name == name), None)


def _wait(whom: str, condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > until:
            log.warning("demo_step_timed_out", waited_for=whom)
            return
        time.sleep(0.05)
