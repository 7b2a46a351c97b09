"""What a stored event does, kind by kind, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core import row_locks
from core.accounts.rules import SYSTEM
from core.activity import record
from core.consent.taps import Tap
from core.conversation.replies import answer_event
from core.inbox import rules
from core.inbox.customers import Person, Sighting, ids_of, see_customers
from core.inbox.stopping import asked_to_stop, stop
from core.inbox.taps import record_taps
from core.messenger import facts
from core.messenger.events import Raw
from core.sealing import find_hash, seal
from core.sending import evidence

OPT_IN = "opt_in"
NO_SENDER = "names no sender"
NOTHING_TO_DO = "nothing to do for this kind"


@dataclass(frozen=True, slots=True, repr=False)
class Happening:
    """An event of one of our fanpages, its tokens in the clear (and never in a repr)."""

    id: int
    fanpage_id: int
    kind: str
    psid: str | None
    at: datetime
    received_at: datetime
    raw: Raw


@dataclass(frozen=True)
class Scene:
    """What the events of one turn share."""

    db: Session
    now: datetime
    customers: dict[Person, int]


def take_effect(db: Session, happenings: Sequence[Happening], now: datetime) -> dict[int, str]:
    """Apply events in the order given; returns a note for each one that had no effect."""
    _lock_rows(db, happenings)
    sightings = [sighting for event in happenings if (sighting := _sighting(event))]
    see_customers(db, sightings, now)
    scene = Scene(db, now, ids_of(db, {sighting.person for sighting in sightings}))
    notes: dict[int, str] = {}
    marked = [(event, (event.fanpage_id, event.psid), event.kind == OPT_IN) for event in happenings]
    for run in rules.in_runs(marked):
        able = [event for event in run if not _note(event)]
        notes.update({event.id: _note(event) for event in run if _note(event)})
        if able and able[0].kind == OPT_IN:
            record_taps(db, [_tap(event) for event in able], now)
        elif able:
            _EFFECTS[able[0].kind](scene, able[0])
    return notes


def _lock_rows(db: Session, happenings: Sequence[Happening]) -> None:
    """Workers settle what concerns the same people and deliveries: before anything changes, in one order."""
    row_locks.lock_people(db, {(event.fanpage_id, event.psid) for event in happenings if event.psid})
    echoed = [facts.echoed(event.raw).metadata for event in happenings if event.kind == "echo"]
    ids = [evidence.delivery_of(rules.readable(metadata)) for metadata in echoed]
    told = {(e.fanpage_id, e.psid) for e in happenings if e.psid and e.kind in ("delivery", "read")}
    row_locks.lock_deliveries_heard_of(db, [each for each in ids if each], told)


def _note(event: Happening) -> str:
    """Why an event can have no effect; empty when it can."""
    if event.kind != OPT_IN and event.kind not in _EFFECTS:
        return NOTHING_TO_DO
    return NO_SENDER if event.psid is None and event.kind != "policy" else ""


def _sighting(event: Happening) -> Sighting | None:
    if event.psid is None or not rules.is_by_the_customer(event.kind):
        return None
    taken_back = event.kind == "reaction" and event.raw["reaction"].get("action") == "unreact"
    window = rules.window_closes_at(event.kind, event.at, taken_back=taken_back)
    return Sighting((event.fanpage_id, event.psid), event.at, window)


def _tap(event: Happening) -> Tap:
    tapped = facts.opted_in(event.raw)
    if tapped is None:
        raise ValueError("a stored opt-in has lost its token")
    return Tap(
        event.fanpage_id,
        event.psid or "",
        rules.readable(tapped.payload),
        None,
        find_hash(tapped.token),
        seal(tapped.token),
        event.at,
    )


def _customer(scene: Scene, event: Happening) -> int:
    return scene.customers[(event.fanpage_id, event.psid or "")]


def _message(scene: Scene, event: Happening) -> None:
    said = facts.said(event.raw)
    _answer(scene, event, text=said.text, payload=said.payload, ref=said.ref)


def _postback(scene: Scene, event: Happening) -> None:
    tapped = facts.tapped(event.raw)
    _answer(scene, event, text=tapped.title, payload=tapped.payload, ref=tapped.ref)


def _referral(scene: Scene, event: Happening) -> None:
    _answer(scene, event, ref=facts.referred(event.raw))


def _answer(
    scene: Scene,
    event: Happening,
    *,
    text: str | None = None,
    payload: str | None = None,
    ref: str | None = None,
) -> None:
    if ask := asked_to_stop(scene.db, event.fanpage_id, kind=event.kind, text=text, payload=payload):
        stop(scene.db, event.fanpage_id, _customer(scene, event), ask, at=event.at, now=scene.now)
        return
    answer_event(
        scene.db,
        fanpage_id=event.fanpage_id,
        customer_id=_customer(scene, event),
        kind=event.kind,
        text=rules.readable(text) or None,
        payload=rules.readable(payload) or None,
        ref=rules.readable(ref) or None,
        now=scene.now,
        occurred_at=event.at,
    )


def _echo(scene: Scene, event: Happening) -> None:
    echo = facts.echoed(event.raw)
    evidence.note_echo(
        scene.db,
        fanpage_id=event.fanpage_id,
        psid=event.psid or "",
        mid=rules.readable(echo.mid),
        metadata=rules.readable(echo.metadata) or None,
        at=event.at,
    )


def _delivery(scene: Scene, event: Happening) -> None:
    delivered = facts.delivered(event.raw)
    evidence.note_delivered(
        scene.db,
        fanpage_id=event.fanpage_id,
        psid=event.psid or "",
        mids=[rules.readable(mid) for mid in delivered.mids],
        watermark_at=_moment(delivered.watermark_ms, event),
        at=event.at,
    )


def _read(scene: Scene, event: Happening) -> None:
    watermark_at = _moment(facts.read_up_to(event.raw), event) or event.at
    evidence.note_read(
        scene.db, fanpage_id=event.fanpage_id, psid=event.psid or "", watermark_at=watermark_at
    )


def _moment(milliseconds: int | None, event: Happening) -> datetime | None:
    return None if milliseconds is None else rules.occurred_at(milliseconds, event.received_at)


def _policy(scene: Scene, event: Happening) -> None:
    """Meta warns or blocks the fanpage: staff must see it, whoever looks at the log first."""
    policy = facts.policy(event.raw)
    record(
        scene.db,
        SYSTEM,
        "fanpage.policy",
        now=scene.now,
        fanpage_id=event.fanpage_id,
        subject_id=event.fanpage_id,
        action=rules.readable(policy.action),
        reason=rules.readable(policy.reason)[:500],
    )


def _nothing_more(scene: Scene, event: Happening) -> None:
    """A reaction opens the window, which the sighting has done."""


_EFFECTS: dict[str, Callable[[Scene, Happening], None]] = {
    "message": _message,
    "postback": _postback,
    "referral": _referral,
    "reaction": _nothing_more,
    "echo": _echo,
    "delivery": _delivery,
    "read": _read,
    "policy": _policy,
}
