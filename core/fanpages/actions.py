"""Writes about fanpages: connect, rate, check up, go on after a repair. HTTP stays outside transactions."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.authorising import authorise, authorise_early
from core.accounts.rules import Actor, Permission
from core.broadcasts import transitions
from core.broadcasts.rules import BroadcastState, waits_for_repair
from core.db import bulk, row_locks
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Event, Fanpage, FanpageRate
from core.db.work_queue import enqueue
from core.deliveries import recent_outcomes
from core.encryption import CannotDecrypt, encrypt
from core.errors import N_, Invalid, NotFound, OperatorError, Problem, WrongState, problem
from core.fanpages import checkup, zones
from core.fanpages.connection import messenger_for, open_connection
from core.fanpages.queries import FanpageView, fanpage_view, get_fanpage
from core.fanpages.rules import (
    BLOCKING,
    DEFAULT_RATE,
    NAME_LIMIT,
    HealthProblem,
    check_connection,
    check_rate,
    describe_problem,
)
from core.inbox import early_events
from core.installation import key_check
from core.installation.key_check import AnotherKey
from core.messenger.client import GraphRefused, Messenger
from core.messenger.errors import BAD_PARAMETER
from core.settings import settings
from core.text.identifiers import unwrapped
from core.text.length import cut
from core.text.normalise import normalise_name

log = structlog.get_logger(__name__)

FIRST_WEBHOOK_WITHIN = timedelta(hours=1)  # of a new fanpage; later silence is normal at a quiet one


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
    """Connect a fanpage, or renew its token. With `check` the token is tried first, and webhooks and Get
    Started are set up afterwards (what fails there becomes `problems`). What came in before is applied."""
    authorise_early(by, Permission.ADMIN, now=now)
    page_id, name, token = unwrapped(page_id), normalise_name(name), unwrapped(token)
    problems = check_connection(page_id, name, token, zone or settings().timezone)
    _refuse(problems + (check_rate(rate, i_know=i_know) if rate is not None else []))
    messenger = open_connection(page_id, token, is_demo=is_demo)
    known_as = _name_of(messenger) if check else ""
    name = name or known_as
    if not name:
        raise Invalid([problem("name", N_("Give the fanpage a name."))])
    key_check.refuse_another_key()
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        row, is_new = _upsert(db, page_id, name, now)
        row.name, row.token_sealed, row.is_demo, row.updated_at = name, encrypt(token), is_demo, now
        row.rate = rate if rate is not None else row.rate
        if zone and not is_new:
            zones.refuse_while_planned(db, row, zone)
        row.timezone = zone or row.timezone
        db.flush()
        waited = {"early_events": early_events.apply_early_events(db, page_id)} if is_new else {}
        _record(db, by, "fanpage.connect", row, now, rate=row.rate, **waited)
        view = fanpage_view(row)
    if not check:
        return view
    _keep_problems(view.id, checkup.set_up(messenger, take_over=True), now)
    return get_fanpage(view.id)


def set_rate(by: Actor, fanpage_id: int, rate: int, *, i_know: bool = False, now: datetime) -> FanpageView:
    """Messages per second; above 40 only for who says they know."""
    _refuse(check_rate(rate, i_know=i_know))
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        row = _locked(db, fanpage_id)
        if row.rate != rate:
            was, row.rate, row.updated_at = row.rate, rate, now
            _record(db, by, "fanpage.set_rate", row, now, rate=rate, was=was)
        return fanpage_view(row)


def check_health(fanpage_id: int, *, now: datetime) -> list[str]:
    """Codes of what is wrong (see rules.PROBLEMS), kept with the fanpage."""
    fanpage = get_fanpage(fanpage_id)
    found = _examine(fanpage)
    if not fanpage.is_demo and not settings().app_secret.get_secret_value():
        found.append(HealthProblem.NO_APP_SECRET)
    elif not found and _never_heard_of(fanpage, now):
        found.append(HealthProblem.NO_WEBHOOK_YET)
    _keep_problems(fanpage_id, found, now)
    return [str(code) for code in found]


def check_all(*, now: datetime) -> dict[int, list[str]]:
    """Check every fanpage; one that cannot be checked does not keep the others waiting."""
    with reading() as db:
        ids = [row.id or 0 for row in db.scalars(select(Fanpage).order_by(col(Fanpage.id)))]
    found: dict[int, list[str]] = {}
    for fanpage_id in ids:
        try:
            found[fanpage_id] = check_health(fanpage_id, now=now)
        except OperatorError as refused:
            log.warning("fanpage_check_failed", fanpage_id=fanpage_id, error=refused.code)
    return found


def resume_after_repair(by: Actor, fanpage_id: int, *, now: datetime) -> int:
    """Let a stopped fanpage send again, if a fresh check finds nothing in the way. Returns how many
    broadcasts go on: those the stop had paused, not those a person paused."""
    authorise_early(by, Permission.ADMIN, now=now)
    blocking = [code for code in check_health(fanpage_id, now=now) if code in BLOCKING]
    if blocking:
        raise WrongState(describe_problem(blocking[0]))
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        row = _locked(db, fanpage_id)
        if row.stopped_code is None:
            return 0
        was, row.stopped_code, row.stopped_at, row.updated_at = row.stopped_code, None, None, now
        resumed = resume_broadcasts(db, fanpage_id, now)
        _record(db, by, "fanpage.resume", row, now, was=was, broadcasts=resumed)
        enqueue(db, [fanpage_id])
        return resumed


def see_policy(by: Actor, fanpage_id: int, *, now: datetime) -> None:
    """Staff have read the latest that Meta said about the fanpage, and need no reminder of it."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, now=now)
        row = _locked(db, fanpage_id)
        if row.policy_at is not None and row.policy_seen_at is None:
            row.policy_seen_at = now
            _record(db, by, "fanpage.see_policy", row, now, action=row.policy_action)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems)


def _name_of(messenger: Messenger) -> str:
    """The fanpage's own name, once the token has proved to be this fanpage's."""
    try:
        page_id, name = checkup.identity(messenger)
    except GraphRefused as refusal:
        raise Invalid([_token_problem(refusal)]) from None
    if page_id != messenger.page_id:
        text = N_("This access token belongs to the fanpage {name} ({found}), not to {asked}.")
        raise Invalid([problem("token", text, name=name, found=page_id, asked=messenger.page_id)])
    return cut(normalise_name(name), NAME_LIMIT)


def _token_problem(refusal: GraphRefused) -> Problem:
    if checkup.is_inconclusive(refusal):
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
    pace = {"fanpage_id": row.id, "next_free": 0.0, "held_until": 0.0, "factor": 1.0, "factor_at": 0.0}
    db.execute(bulk.insert_new(FanpageRate), [pace])
    return row, bool(made)


def _examine(fanpage: FanpageView) -> list[HealthProblem]:
    if not fanpage.has_token:
        return [HealthProblem.NO_TOKEN]
    try:
        return checkup.examine(messenger_for(fanpage.id))
    except CannotDecrypt:
        if key_check.is_another_key():  # then it is not the fanpage that something is wrong with
            raise AnotherKey from None
        return [HealthProblem.TOKEN_SEALED]


def _never_heard_of(fanpage: FanpageView, now: datetime) -> bool:
    """Connected for a while, and still no webhook has come in."""
    heard = select(col(Event.id)).where(col(Event.page_id) == fanpage.page_id).limit(1)
    waiting = select(col(Fanpage.id)).where(
        col(Fanpage.id) == fanpage.id, col(Fanpage.created_at) < now - FIRST_WEBHOOK_WITHIN
    )
    with reading() as db:
        return db.execute(waiting).first() is not None and db.execute(heard).first() is None


def _keep_problems(fanpage_id: int, found: list[HealthProblem], now: datetime) -> None:
    values = {"problems": [str(code) for code in found], "checked_at": now}
    with transaction() as db:
        db.execute(update(Fanpage).where(col(Fanpage.id) == fanpage_id).values(values))


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


def _locked(db: Session, fanpage_id: int) -> Fanpage:
    row = db.get(Fanpage, fanpage_id, with_for_update={"key_share": True})
    if row is None:
        raise NotFound(N_("This fanpage is no longer connected."))
    return row


def _record(db: Session, by: Actor, verb: str, row: Fanpage, now: datetime, **detail: object) -> None:
    activity_log.record(
        db, by, verb, now=now, fanpage_id=row.id, subject_id=row.id, subject=row.name, **detail
    )
