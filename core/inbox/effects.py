"""What a stored event does, kind by kind, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.accounts.activity_log import record
from core.accounts.rules import SYSTEM
from core.broadcasts.rules import BroadcastState
from core.consent.taps import Tap
from core.conversation.replies import answer_event
from core.customers import marks
from core.db import row_locks
from core.db.tables import Fanpage
from core.deliveries import evidence
from core.encryption import encrypt, lookup_hash
from core.inbox import rules
from core.inbox.customers import CustomerKey, Sighting, customer_ids, upsert_customers
from core.inbox.stop_requests import apply_stop_request, find_stop_request
from core.inbox.taps import apply_taps
from core.inbox.thread_control import ThreadOwner, record_thread_owners
from core.messenger import event_contents
from core.messenger.events import RawEvent, base_kind, is_standby
from core.sending.consequences import stop_fanpage
from core.text.length import cut
from core.text.normalise import normalise_text, storable

OPT_IN = "opt_in"
RESTRICTED = "restricted"  # why a blocked fanpage is stopped, see messenger.reasons
BLOCK, UNBLOCK = "block", "unblock"
ABOUT_THE_FANPAGE = ("policy", "integrity")
NO_SENDER = "names no sender"
NOTHING_TO_DO = "nothing to do for this kind"


@dataclass(frozen=True, slots=True, repr=False)
class FanpageEvent:
    """An event of one of our fanpages, its tokens in the clear (and never in a repr)."""

    id: int
    fanpage_id: int
    kind: str
    psid: str | None
    at: datetime
    received_at: datetime
    raw: RawEvent


@dataclass(frozen=True)
class EffectContext:
    """What the events of one turn share."""

    db: Session
    now: datetime
    customers: dict[CustomerKey, int]


def apply_events(db: Session, happenings: Sequence[FanpageEvent], now: datetime) -> dict[int, str]:
    """Apply events in the order given; returns a note for each one that had no effect."""
    _lock_rows(db, happenings)
    sightings = [sighting for event in happenings if (sighting := _sighting(event))]
    upsert_customers(db, sightings, now)
    record_thread_owners(db, [holder for event in happenings if (holder := _holder(event))])
    also = [event for event in happenings if base_kind(event.kind) in rules.ALSO_SIGNS_OF_LIFE]
    marks.record_signs_of_life(
        db, [((event.fanpage_id, event.psid), event.at) for event in also if event.psid]
    )
    scene = EffectContext(db, now, customer_ids(db, {sighting.person for sighting in sightings}))
    notes: dict[int, str] = {}
    marked = [(event, (event.fanpage_id, event.psid), event.kind == OPT_IN) for event in happenings]
    for run in rules.split_into_runs(marked):
        able = [event for event in run if not _note(event)]
        notes.update({event.id: _note(event) for event in run if _note(event)})
        if able and able[0].kind == OPT_IN:
            apply_taps(db, [_tap(event) for event in able], now)
        elif able:
            _EFFECTS[able[0].kind](scene, able[0])
    return notes


def _lock_rows(db: Session, happenings: Sequence[FanpageEvent]) -> None:
    """Workers settle what concerns the same people and deliveries: before anything changes, in one order."""
    for fanpage_id in sorted({event.fanpage_id for event in happenings if event.kind == "policy"}):
        row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.SENDING)
    row_locks.lock_people(db, {(event.fanpage_id, event.psid) for event in happenings if event.psid})
    echoed = [
        event_contents.read_echo(event.raw).metadata
        for event in happenings
        if base_kind(event.kind) == "echo"
    ]
    ids = [evidence.delivery_of(storable(metadata or "")) for metadata in echoed]
    receipts = [event for event in happenings if base_kind(event.kind) in ("delivery", "read")]
    told = {(event.fanpage_id, event.psid) for event in receipts if event.psid}
    row_locks.lock_deliveries_heard_of(db, [each for each in ids if each], told)


def _note(event: FanpageEvent) -> str:
    """Why an event can have no effect; empty when it can."""
    if event.kind != OPT_IN and event.kind not in _EFFECTS:
        return NOTHING_TO_DO
    return NO_SENDER if event.psid is None and event.kind not in ABOUT_THE_FANPAGE else ""


def _sighting(event: FanpageEvent) -> Sighting | None:
    if event.psid is None or not rules.is_customer_act(event.kind):
        return None
    taken_back = base_kind(event.kind) == "reaction" and event.raw["reaction"].get("action") == "unreact"
    window = rules.window_closes_at(event.kind, event.at, taken_back=taken_back)
    return Sighting((event.fanpage_id, event.psid), event.at, window)


def _holder(event: FanpageEvent) -> ThreadOwner | None:
    """What an event says of who holds the conversation: who is written to, and where we were told of it."""
    is_ours = (
        event_contents.read_handover(event.raw).is_ours
        if event.kind == "handover"
        else not is_standby(event.kind)
    )
    says = event.kind in ("handover", "message", "postback") or is_standby(event.kind)
    if event.psid is None or is_ours is None or not says:
        return None
    return ThreadOwner((event.fanpage_id, event.psid), event.at, is_ours)


def _tap(event: FanpageEvent) -> Tap:
    tapped = event_contents.read_opt_in(event.raw)
    if tapped is None:
        raise ValueError("a stored opt-in has lost its token")
    return Tap(
        event.fanpage_id,
        event.psid or "",
        storable(tapped.payload or ""),
        None,
        lookup_hash(tapped.token),
        encrypt(tapped.token),
        event.at,
    )


def _customer(scene: EffectContext, event: FanpageEvent) -> int:
    return scene.customers[(event.fanpage_id, event.psid or "")]


def _message(scene: EffectContext, event: FanpageEvent) -> None:
    said = event_contents.read_message(event.raw)
    _answer(scene, event, text=said.text, payload=said.payload, ref=said.ref)


def _postback(scene: EffectContext, event: FanpageEvent) -> None:
    tapped = event_contents.read_postback(event.raw)
    _answer(scene, event, text=tapped.title, payload=tapped.payload, ref=tapped.ref)


def _referral(scene: EffectContext, event: FanpageEvent) -> None:
    _answer(scene, event, ref=event_contents.read_referral(event.raw))


def _answer(
    scene: EffectContext,
    event: FanpageEvent,
    *,
    text: str | None = None,
    payload: str | None = None,
    ref: str | None = None,
) -> None:
    answers = not is_standby(event.kind)
    kind = base_kind(event.kind)
    if ask := find_stop_request(scene.db, event.fanpage_id, kind=kind, text=text, payload=payload):
        customer_id = _customer(scene, event)
        apply_stop_request(
            scene.db, event.fanpage_id, customer_id, ask, at=event.at, now=scene.now, answer=answers
        )
        return
    if not answers:
        return  # another app has the conversation, and answers
    answer_event(
        scene.db,
        fanpage_id=event.fanpage_id,
        customer_id=_customer(scene, event),
        kind=event.kind,
        text=normalise_text(text or "") or None,
        payload=storable(payload or "") or None,
        ref=storable(ref or "") or None,
        now=scene.now,
    )


def _echo(scene: EffectContext, event: FanpageEvent) -> None:
    echo = event_contents.read_echo(event.raw)
    evidence.note_echo(
        scene.db,
        fanpage_id=event.fanpage_id,
        psid=event.psid or "",
        mid=storable(echo.mid or ""),
        metadata=storable(echo.metadata or "") or None,
        at=event.at,
    )


def _delivery(scene: EffectContext, event: FanpageEvent) -> None:
    delivered = event_contents.read_delivery_receipt(event.raw)
    evidence.note_delivered(
        scene.db,
        fanpage_id=event.fanpage_id,
        psid=event.psid or "",
        mids=[storable(mid) for mid in delivered.mids],
        watermark_at=_moment(delivered.watermark_ms, event),
        at=event.at,
    )


def _read(scene: EffectContext, event: FanpageEvent) -> None:
    watermark_at = _moment(event_contents.read_watermark(event.raw), event) or event.at
    evidence.note_read(
        scene.db, fanpage_id=event.fanpage_id, psid=event.psid or "", watermark_at=watermark_at
    )


def _moment(milliseconds: int | None, event: FanpageEvent) -> datetime | None:
    return None if milliseconds is None else rules.occurred_at(milliseconds, event.received_at)


def _policy(scene: EffectContext, event: FanpageEvent) -> None:
    """Meta warns, blocks or unblocks the fanpage. A block stops it, unless a newer block or unblock has been
    told already; only a person lets it send again."""
    policy = event_contents.read_policy_notice(event.raw)
    action = storable(policy.action or "").strip().lower()
    fanpage = scene.db.get_one(Fanpage, event.fanpage_id)
    is_void = fanpage.policy_ruled_at is not None and fanpage.policy_ruled_at > event.at
    if action in (BLOCK, UNBLOCK) and not is_void:
        fanpage.policy_ruled_at = event.at
    stops = action == BLOCK and not is_void
    _note_policy(scene, event, action, policy.reason or "", always=stops)
    if stops:
        stop_fanpage(scene.db, event.fanpage_id, RESTRICTED, now=scene.now)


def _integrity(scene: EffectContext, event: FanpageEvent) -> None:
    """What Meta holds against the fanpage need not concern its messages: it is shown, and stops nothing."""
    _note_policy(scene, event, "integrity", event_contents.read_integrity_notice(event.raw) or "")


def _note_policy(
    scene: EffectContext, event: FanpageEvent, action: str, reason: str, *, always: bool = False
) -> None:
    """Keep what Meta said of the fanpage for staff to see: the latest, or what stops it."""
    reason = cut(normalise_text(reason), 500)
    fanpage = scene.db.get_one(Fanpage, event.fanpage_id)
    if always or fanpage.policy_at is None or fanpage.policy_at < event.at:
        fanpage.policy_action, fanpage.policy_reason = action[:16], reason
        fanpage.policy_at, fanpage.policy_seen_at = event.at, None
    scene.db.flush()
    record(
        scene.db,
        SYSTEM,
        "fanpage.policy",
        now=scene.now,
        fanpage_id=event.fanpage_id,
        subject_id=event.fanpage_id,
        subject=fanpage.name,
        action=action,
        reason=reason,
    )


def _nothing_more(scene: EffectContext, event: FanpageEvent) -> None:
    """That the customer is there, their window and who holds the conversation has been noted already."""


_EFFECTS: dict[str, Callable[[EffectContext, FanpageEvent], None]] = {
    "message": _message,
    "postback": _postback,
    "referral": _referral,
    "reaction": _nothing_more,
    "echo": _echo,
    "delivery": _delivery,
    "read": _read,
    "policy": _policy,
    "integrity": _integrity,
    "handover": _nothing_more,
    # Another app holds the conversation: what happened counts all the same, and the other app answers.
    "standby_message": _message,
    "standby_postback": _postback,
    "standby_referral": _nothing_more,
    "standby_reaction": _nothing_more,
    "standby_echo": _echo,
    "standby_delivery": _delivery,
    "standby_read": _read,
}
