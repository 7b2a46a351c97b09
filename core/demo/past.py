"""Invents the demo's past: who wrote when, what they were asked, what they agreed to. It uses no database."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.clock import local_to_utc
from core.conversation.entry_kinds.names import EntryKind
from core.demo.story import NEW_PRODUCTS, PEONIES, TET, YOURS, Story

FIRST_BROADCAST_DAYS = 9  # so long ago the finished broadcast went out, at half past nine
NEARLY_A_YEAR = (338, 360)  # days: these opt-ins end soon, staff should see it coming
OVER_A_YEAR = (368, 390)


@dataclass(frozen=True)
class PastRequest:
    """A request to a person about a topic, and whether they tapped."""

    psid: str
    story: Story
    at: datetime
    entry_kind: str
    entry_value: str
    tapped: bool


@dataclass(frozen=True)
class Past:
    """What happened before the demo was started."""

    contacts: dict[str, datetime]  # first contact by PSID
    asked: list[PastRequest]  # before the finished broadcast, or about something else
    asked_since: list[PastRequest]  # about peonies, after it


def first_broadcast_at(now: datetime, zone: str) -> datetime:
    """When the finished broadcast of the demo was sent."""
    day = now.astimezone(ZoneInfo(zone)) - timedelta(days=FIRST_BROADCAST_DAYS)
    return local_to_utc(day.replace(hour=9, minute=30, second=0, microsecond=0, tzinfo=None), zone)


def invent(psids: list[str], now: datetime, broadcast_at: datetime) -> Past:
    """Invent a past, the same on every machine, counted back from `now`. The people to be
    played have none."""
    chance = random.Random(9)
    contacts: dict[str, datetime] = {}
    asked: list[PastRequest] = []
    since: list[PastRequest] = []
    for number, psid in enumerate(psids[len(YOURS) :]):
        first = now - timedelta(days=_age_of_contact(chance, number), minutes=chance.randrange(1440))
        contacts[psid] = first
        asked.append(_asked(chance, psid, NEW_PRODUCTS, first, now, share=0.9))
        long_known = first < broadcast_at - timedelta(days=2)
        if long_known and chance.random() < 0.42:
            asked.append(_asked(chance, psid, PEONIES, first, broadcast_at, share=0.82))
        if chance.random() < 0.36:
            asked.append(_asked(chance, psid, TET, max(first, now - timedelta(days=40)), now, share=0.86))
        if long_known and chance.random() < 0.16:
            since.append(_asked(chance, psid, PEONIES, broadcast_at, now, share=0.75))
    return Past(contacts, sorted(asked, key=_when), sorted(since, key=_when))


def _age_of_contact(chance: random.Random, number: int) -> int:
    """Days since the first contact: many lately, some almost a year ago, a few longer."""
    if number % 37 == 0:
        return chance.randint(*OVER_A_YEAR)
    if number % 14 == 0:
        return chance.randint(*NEARLY_A_YEAR)
    return min(330, 2 + int(chance.expovariate(1 / 45)))


def _asked(
    chance: random.Random, psid: str, story: Story, first: datetime, until: datetime, *, share: float
) -> PastRequest:
    """A request within minutes of a contact, or some days later."""
    gap = until - first
    wait = timedelta(minutes=chance.randint(1, 9))
    if story is not NEW_PRODUCTS:
        wait = gap * (0.05 + 0.85 * chance.random())
    kind, value = _entry(chance, story)
    return PastRequest(psid, story, first + wait, kind, value, tapped=chance.random() < share)


def _entry(chance: random.Random, story: Story) -> tuple[str, str]:
    match chance.randrange(3):
        case 0:
            return EntryKind.REF, story.ref
        case 1:
            return EntryKind.BUTTON, story.button
    return EntryKind.KEYWORD, story.keywords[0]


def _when(asked: PastRequest) -> datetime:
    return asked.at
