"""Writes about fanpages by staff: connecting, the rate, going on after a repair."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.authorising import EVERYTHING, Scope, authorise, authorise_early, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import transitions
from core.broadcasts.rules import BroadcastState, waits_for_repair
from core.db import bulk, row_locks
from core.db.engine import transaction
from core.db.tables import Broadcast, Fanpage, FanpageRate
from core.db.work_queue import enqueue
from core.deliveries import recent_outcomes
from core.encryption import encrypt
from core.errors import N_, Invalid, Problem, WrongState, problem, refuse_invalid
from core.fanpages import health_check, time_zone
from core.fanpages.connection import open_connection
from core.fanpages.health_actions import check_health
from core.fanpages.queries import FanpageView, fanpage_view, find_by_page_id, get_fanpage
from core.fanpages.rows import lock_fanpage, record
from core.fanpages.rules import BLOCKING, NAME_LIMIT, check_connection, describe_problem
from core.fanpages.send_rate import DEFAULT_RATE, check_rate
from core.inbox import early_events
from core.installation import key_check
from core.messenger.client import GraphRefused, Messenger
from core.messenger.errors import BAD_PARAMETER
from core.settings import settings
from core.text.identifiers import unwrapped
from core.text.normalise import normalise_name
from core.text.utf16_units import cut


def connect(
    by: Actor,
    *,
    page_id: str,
    name: str,
    token: str,
    rate: int | None = None,
    check: bool = True,
    zone: str | None = None,
    is_demo: bool = False,
    i_know: bool = False,
    now: datetime,
) -> FanpageView:
    """Connect a fanpage, or renew its token.

    With `check` the token is tried first, and webhooks and the Get Started button are set up afterwards; what
    fails there becomes the fanpage's `problems`. Events that came in before a fanpage was connected are
    applied. HTTP calls are made outside the transaction.
    """
    page_id, name, token = unwrapped(page_id), normalise_name(name), unwrapped(token)
    scope = _scope_of(page_id)
    authorise_early(by, Permission.ADMIN, scope, now=now)
    problems = check_connection(page_id, name, token, zone or settings().timezone)
    refuse_invalid(problems + (check_rate(rate, i_know=i_know) if rate is not None else []))
    messenger = open_connection(page_id, token, is_demo=is_demo)
    known_as = _name_of(messenger) if check else ""
    name = name or known_as
    if not name:
        raise Invalid([problem("name", N_("Give the fanpage a name."))])
    key_check.refuse_another_key()
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, scope, now=now)
        row, is_new = _upsert(db, page_id, name, now)
        before = _as_logged(row)
        row.name, row.token_sealed, row.is_demo, row.updated_at = name, encrypt(token), is_demo, now
        row.rate = rate if rate is not None else row.rate
        if zone and not is_new:
            time_zone.refuse_while_planned(db, row, zone)
        row.timezone = zone or row.timezone
        db.flush()
        waited = {"early_events": early_events.requeue_early_events(db, page_id)} if is_new else {}
        if is_new:
            record(db, by, "fanpage.connect", row, now, rate=row.rate, **waited)
        else:
            record(db, by, "fanpage.connect_again", row, now, before=before, after=_as_logged(row))
        view = fanpage_view(row)
    if not check:
        return view
    check_health(view.id, now=now, take_over=True)
    return get_fanpage(view.id)


def set_rate(by: Actor, fanpage_id: int, rate: int, *, i_know: bool = False, now: datetime) -> FanpageView:
    """Set the messages per second. More than 40 need `i_know`."""
    refuse_invalid(check_rate(rate, i_know=i_know))
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row = lock_fanpage(db, fanpage_id)
        if row.rate != rate:
            was, row.rate, row.updated_at = row.rate, rate, now
            record(db, by, "fanpage.set_rate", row, now, rate=rate, was=was)
        return fanpage_view(row)


def resume_after_repair(by: Actor, fanpage_id: int, *, now: datetime) -> int:
    """Let a stopped fanpage send again, if a fresh check finds nothing in the way. Returns how many
    broadcasts go on: those that the stop had paused, not those that a person had."""
    authorise_early(by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
    blocking = [code for code in check_health(fanpage_id, now=now) if code in BLOCKING]
    if blocking:
        raise WrongState(describe_problem(blocking[0]))
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row = lock_fanpage(db, fanpage_id)
        if row.stopped_code is None:
            return 0
        was, row.stopped_code, row.stopped_at, row.updated_at = row.stopped_code, None, None, now
        resumed = resume_broadcasts(db, fanpage_id, now)
        record(db, by, "fanpage.resume", row, now, was=was, broadcasts=resumed)
        enqueue(db, [fanpage_id])
        return resumed


def see_policy(by: Actor, fanpage_id: int, *, now: datetime) -> None:
    """Record that staff have read the latest notice of Meta about the fanpage."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Fanpage, fanpage_id), now=now)
        row = lock_fanpage(db, fanpage_id)
        if row.policy_at is not None and row.policy_seen_at is None:
            row.policy_seen_at = now
            record(db, by, "fanpage.see_policy", row, now, action=row.policy_action)


def _scope_of(page_id: str) -> Scope:
    """A fanpage that is not connected yet is for an admin of all to connect."""
    known = find_by_page_id(page_id)
    return EVERYTHING if known is None else of(Fanpage, known.id)


def _name_of(messenger: Messenger) -> str:
    """The fanpage's own name. Raises Invalid when the token is not this fanpage's."""
    try:
        page_id, name = health_check.identity(messenger)
    except GraphRefused as refusal:
        raise Invalid([_token_problem(refusal)]) from None
    if page_id != messenger.page_id:
        text = N_("This access token belongs to the fanpage {name} ({found}), not to {asked}.")
        raise Invalid([problem("token", text, name=name, found=page_id, asked=messenger.page_id)])
    return cut(normalise_name(name), NAME_LIMIT)


def _token_problem(refusal: GraphRefused) -> Problem:
    if health_check.is_inconclusive(refusal):
        text = N_(
            "Facebook could not be reached, so the access token was not checked. Try again in a minute."
        )
        return problem("token", text)
    if refusal.failure.code == BAD_PARAMETER:  # how a wrong app secret shows, too
        text = N_(
            "Facebook refused the call (code 100): the access token is wrong, or OTN_APP_SECRET is not the "
            "secret of the app it was made with."
        )
        return problem("token", text)
    text = N_("Facebook refused this access token (code {code}). Make a new one and paste it again.")
    return problem("token", text, code=refusal.failure.code or refusal.failure.status or "?")


def _as_logged(row: Fanpage) -> dict[str, str | int]:
    return {"name": row.name, "rate": row.rate, "zone": row.timezone}


def _upsert(db: Session, page_id: str, name: str, now: datetime) -> tuple[Fanpage, bool]:
    """The fanpage, and whether it was not there before."""
    early_events.wait_for_applier(db)
    fresh = {
        "page_id": page_id,
        "name": name,
        "rate": DEFAULT_RATE,
        "timezone": settings().timezone,
        "is_demo": False,
        "problems": [],
        "created_at": now,
        "updated_at": now,
    }
    made = db.execute(bulk.insert_new(Fanpage).returning(col(Fanpage.id)), [fresh]).all()
    row = db.scalars(
        select(Fanpage).where(col(Fanpage.page_id) == page_id).with_for_update(key_share=True)
    ).one()
    rate = {"fanpage_id": row.id, "next_free": 0.0, "held_until": 0.0, "factor": 1.0, "factor_at": 0.0}
    db.execute(bulk.insert_new(FanpageRate), [rate])
    return row, bool(made)


def resume_broadcasts(db: Session, fanpage_id: int, now: datetime) -> int:
    """Let the broadcasts go on that were paused when the fanpage was stopped. Returns how many."""
    row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.PAUSED)
    paused = db.execute(
        select(col(Broadcast.id), col(Broadcast.pause_code)).where(
            col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.state) == BroadcastState.PAUSED
        )
    )
    ids = [broadcast_id or 0 for broadcast_id, code in paused if waits_for_repair(code)]
    transitions.repair(db, ids, now=now)
    recent_outcomes.start_anew(db, fanpage_id, ids)
    return len(ids)
