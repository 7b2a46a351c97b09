"""Asks the platform for the profiles of customers (names and language), a few at a time. Sending never waits
for them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, select
from sqlmodel import Session, col

from core.db import bulk
from core.db.engine import reading, transaction
from core.db.tables import Customer, Fanpage
from core.errors import OperatorError
from core.messenger.client import GraphRefused, Messenger, Profile
from core.text.matching import search_key
from core.text.normalise import normalise_name
from core.text.utf16_units import cut

AT_ONCE = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Nameless:
    customer_id: int
    fanpage_id: int
    psid: str


def fetch_missing_profiles(messenger_for: Callable[[int], Messenger], *, now: datetime) -> int:
    """Ask for the names of up to 20 customers that were not asked for yet. Returns how many of them need not
    be asked for again. It makes HTTP calls, so no transaction may be open.

    A fanpage whose access token is missing or cannot be read keeps no other one's customers waiting.
    """
    nameless, messengers = _askable(messenger_for)
    # Of each fanpage the PSID of somebody about whom the platform said something.
    answered: dict[int, str] = {}
    unclear, stored = [], 0
    for each in nameless:
        has_said, profile = _ask(messengers[each.fanpage_id], each)
        if has_said:
            answered[each.fanpage_id] = each.psid
            stored += _store(each, profile, now)
        else:
            unclear.append(each)
    for each in unclear:
        if each.fanpage_id not in answered:  # nobody was answered for: an outage
            continue
        messenger, other = messengers[each.fanpage_id], replace(each, psid=answered[each.fanpage_id])
        has_said, profile = _ask(messenger, each)
        # Who is not answered for once more, while somebody else is after them, would be asked for ever.
        if has_said or _ask(messenger, other)[0]:
            stored += _store(each, profile, now)
        else:
            del answered[each.fanpage_id]
    return stored


def _ask(messenger: Messenger, whom: _Nameless) -> tuple[bool, Profile | None]:
    """Whether the platform said something about a person, if only that it does not tell, and what."""
    try:
        return True, messenger.profile(whom.psid)
    except GraphRefused as refusal:
        log.warning("name_not_learnt", fanpage_id=whom.fanpage_id, error=refusal.failure.reason)
        return False, None


def _store(whom: _Nameless, profile: Profile | None, now: datetime) -> int:
    with transaction() as db:
        store_profile(db, whom.customer_id, whom.psid, profile, now)
    return 1


def _askable(
    messenger_for: Callable[[int], Messenger],
) -> tuple[list[_Nameless], dict[int, Messenger]]:
    """The next customers to ask for, and the connections of their fanpages."""
    without: set[int] = set()  # fanpages to which there is no connection
    messengers: dict[int, Messenger] = {}
    while True:
        nameless = _nameless(without)
        for fanpage_id in {each.fanpage_id for each in nameless} - messengers.keys():
            try:
                messengers[fanpage_id] = messenger_for(fanpage_id)
            except OperatorError as problem:  # no token, or one that cannot be read
                log.warning("names_not_asked", fanpage_id=fanpage_id, error=type(problem).__name__)
                without.add(fanpage_id)
        if not any(each.fanpage_id in without for each in nameless):
            return nameless, messengers


def _nameless(without: Collection[int]) -> list[_Nameless]:
    with reading() as db:
        rows = db.execute(nameless(without).limit(AT_ONCE)).all()
    return [_Nameless(customer_id or 0, fanpage_id, psid) for customer_id, fanpage_id, psid in rows]


def nameless(without: Collection[int]) -> Select[int | None, int, str]:
    """The customers (id, fanpage, PSID) whose names are still to be asked for, who wrote last first, except
    those of the fanpages `without`."""
    return (
        select(col(Customer.id), col(Customer.fanpage_id), col(Customer.psid))
        .join(Fanpage, col(Fanpage.id) == col(Customer.fanpage_id))
        .where(
            col(Customer.profile_at).is_(None),
            col(Customer.last_event_at).is_not(None),
            col(Customer.fanpage_id).not_in(sorted(without)),
            col(Fanpage.stopped_code).is_(None),
            col(Fanpage.token_sealed).is_not(None),
        )
        .order_by(col(Customer.last_event_at).desc(), col(Customer.id).desc())
    )


def store_profile(db: Session, customer_id: int, psid: str, profile: Profile | None, now: datetime) -> None:
    """Store a customer's name. A refusal (None) is stored too, so that it is not asked for again."""
    values: dict[str, Any] = {"profile_at": now}
    if profile:
        first_name, last_name = _kept_name(profile.first_name), _kept_name(profile.last_name)
        name = f"{last_name or ''} {first_name or ''}"
        values |= {
            "first_name": first_name,
            "last_name": last_name,
            "locale": profile.locale[:16] if profile.locale else None,
            "search_text": f"{search_key(name)} {psid}".strip()[:300],
        }
    db.execute(bulk.change(Customer, col(Customer.id) == customer_id).values(**values))


def _kept_name(name: str | None) -> str | None:
    """A name as it is stored; None for one without visible characters."""
    return cut(normalise_name(name or ""), 100) or None
