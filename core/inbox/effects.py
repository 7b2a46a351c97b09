"""Applies events to everything they concern, kind by kind, inside the caller's transaction.

An event that was applied before and is replayed only puts back what is missing: the customer, the opt-in, the
withdrawal. Nobody is answered twice, and no newer news is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlmodel import Session

from core.broadcasts.follow_ups import messages_to_follow
from core.consent.withdrawals import was_said_since
from core.conversation.replies import answer_event, answer_with_message, ask_again
from core.customers import unreachable_marks
from core.deliveries import evidence
from core.deliveries.answers import note_answers
from core.inbox import rules
from core.inbox.colleagues import is_ours, note_colleague
from core.inbox.comments import apply_comment, find_comments
from core.inbox.fanpage_event import EffectContext, FanpageEvent
from core.inbox.locking import lock_rows
from core.inbox.policy_events import apply_integrity_notice, apply_policy_notice
from core.inbox.sightings import customer_ids, sighting_of, upsert_customers
from core.inbox.stop_requests import apply_stop_request, find_stop_request
from core.inbox.taps import apply_taps, record_taps_again, tap_of
from core.inbox.thread_control import record_thread_owners, thread_owner_of
from core.messenger import event_contents
from core.messenger.event_kinds import EventKind, base_kind, is_standby, kind_in_standby
from core.messenger.message_limits import MESSAGING_WINDOW
from core.testers.joining import join_as_tester
from core.text.normalise import normalise_text, storable

ABOUT_THE_FANPAGE = (EventKind.POLICY, EventKind.INTEGRITY)
NO_SENDER = "names no sender"
NOTHING_TO_DO = "nothing to do for this kind"
_RECORDED_AGAIN = (EventKind.MESSAGE, EventKind.POSTBACK)  # either may hold a withdrawal


def apply_events(db: Session, events: Sequence[FanpageEvent], now: datetime) -> dict[int, str]:
    """Apply events in the order given. Returns, by event id, why those without an effect had none."""
    lock_rows(db, events, now)
    context = _record_customers(db, events, now)
    notes = {event.id: reason for event in events if (reason := _reason_without_effect(event))}
    able = [event for event in events if event.id not in notes]
    for run in rules.split_into_runs((e, e.customer_key, e.kind == EventKind.OPT_IN) for e in able):
        _apply_run(context, run)
    return notes


def _record_customers(db: Session, events: Sequence[FanpageEvent], now: datetime) -> EffectContext:
    """Record, for all events at once, what they show of their customers: that they are there and until when
    they may be written to, who controls the conversation, and to which broadcast they have responded."""
    new = [event for event in events if not event.is_replay]
    comments = find_comments(db, new)
    sightings = [sighting for event in events if (sighting := sighting_of(event, comments))]
    upsert_customers(db, sightings, now)
    record_thread_owners(db, [owner for event in new if (owner := thread_owner_of(event))])
    also = [event for event in new if event.psid and base_kind(event.kind) in rules.ALSO_SIGNS_OF_LIFE]
    unreachable_marks.record_signs_of_life(db, [(event.customer_key, event.at) for event in also])
    responses = [event for event in new if event.may_be_response]
    responded = note_answers(db, [(event.customer_key, event.at) for event in responses])
    ids = customer_ids(db, {sighting.person for sighting in sightings})
    return EffectContext(db, now, ids, comments, messages_to_follow(db, responded))


def _apply_run(context: EffectContext, run: Sequence[FanpageEvent]) -> None:
    """Apply opt-ins, which are taken together, or one event of another kind."""
    if run[0].kind == EventKind.OPT_IN:
        apply_taps(context.db, [tap_of(event) for event in run if not event.is_replay], context.now)
        record_taps_again(context.db, [tap_of(event) for event in run if event.is_replay], context.now)
    elif not run[0].is_replay or base_kind(run[0].kind) in _RECORDED_AGAIN:
        _EFFECTS[run[0].kind](context, run[0])


def _reason_without_effect(event: FanpageEvent) -> str:
    """Why an event can have no effect; an empty text when it can have one."""
    if event.kind != EventKind.OPT_IN and event.kind not in _EFFECTS:
        return NOTHING_TO_DO
    return NO_SENDER if event.psid is None and event.kind not in ABOUT_THE_FANPAGE else ""


def _message(context: EffectContext, event: FanpageEvent) -> None:
    said = event_contents.read_message(event.raw)
    _react(context, event, text=said.text, payload=said.payload, ref=said.ref)


def _postback(context: EffectContext, event: FanpageEvent) -> None:
    tapped = event_contents.read_postback(event.raw)
    _react(context, event, text=tapped.title, payload=tapped.payload, ref=tapped.ref)


def _referral(context: EffectContext, event: FanpageEvent) -> None:
    _react(context, event, ref=event_contents.read_referral(event.raw))


def _react(
    context: EffectContext,
    event: FanpageEvent,
    *,
    text: str | None = None,
    payload: str | None = None,
    ref: str | None = None,
) -> None:
    """Withdraw, make a tester, or queue the bot's replies: the first of these that applies."""
    bot_replies = not is_standby(event.kind) and not event.is_replay
    kind = base_kind(event.kind)
    if stop := find_stop_request(
        context.db, event.fanpage_id, kind=kind, text=text, payload=payload, by_default=event.is_replay
    ):
        customer_id = context.customer_id(event)
        context.follow_up_messages.pop(customer_id, None)
        apply_stop_request(
            context.db, event.fanpage_id, customer_id, stop, at=event.at, now=context.now, answer=bot_replies
        )
        return
    if event.is_replay:
        return
    customer_id = context.customer_id(event)
    if join_as_tester(
        context.db, event.fanpage_id, customer_id, text=text, ref=ref, answer=bot_replies, now=context.now
    ):
        return
    if not bot_replies:
        return  # the other app that controls the conversation answers
    if event.at + MESSAGING_WINDOW <= context.now or was_said_since(context.db, customer_id, event.at):
        return  # applied late: it is too old to be answered, or they have said no since
    follow_up = context.follow_up_messages.pop(customer_id, None) if event.may_be_response else None
    replies = answer_event(
        context.db,
        fanpage_id=event.fanpage_id,
        customer_id=customer_id,
        text=normalise_text(text or "") or None,
        payload=storable(payload or "") or None,
        ref=storable(ref or "") or None,
        now=context.now,
    )
    if follow_up is not None and not replies:
        answer_with_message(context.db, event.fanpage_id, customer_id, follow_up, context.now)
    if kind == EventKind.MESSAGE:
        ask_again(context.db, event.fanpage_id, customer_id, context.now)


def _echo(context: EffectContext, event: FanpageEvent) -> None:
    echo = event_contents.read_echo(event.raw)
    if not is_ours(context.db, event.fanpage_id, echo):
        note_colleague(context.db, event.fanpage_id, event.psid or "", at=event.at, now=context.now)
        return
    evidence.note_echo(
        context.db,
        fanpage_id=event.fanpage_id,
        psid=event.psid or "",
        mid=storable(echo.mid or ""),
        metadata=storable(echo.metadata or "") or None,
        at=event.at,
    )


def _delivery(context: EffectContext, event: FanpageEvent) -> None:
    delivered = event_contents.read_delivery_receipt(event.raw)
    evidence.note_delivered(
        context.db,
        fanpage_id=event.fanpage_id,
        psid=event.psid or "",
        mids=[storable(mid) for mid in delivered.mids],
        watermark_at=_time_of(delivered.watermark_ms, event),
        at=event.at,
    )


def _read(context: EffectContext, event: FanpageEvent) -> None:
    watermark_at = _time_of(event_contents.read_watermark(event.raw), event) or event.at
    evidence.note_read(
        context.db, fanpage_id=event.fanpage_id, psid=event.psid or "", watermark_at=watermark_at
    )


def _time_of(milliseconds: int | None, event: FanpageEvent) -> datetime | None:
    return None if milliseconds is None else rules.occurred_at(milliseconds, event.received_at)


def _nothing_more(context: EffectContext, event: FanpageEvent) -> None:
    """Do nothing: the customer, their window and the owner of the thread were recorded before."""


# Opt-ins are not here: `_apply_run` gives them to taps.py, many at once.
_EFFECTS: dict[str, Callable[[EffectContext, FanpageEvent], None]] = {
    EventKind.MESSAGE: _message,
    EventKind.POSTBACK: _postback,
    EventKind.REFERRAL: _referral,
    EventKind.REACTION: _nothing_more,
    EventKind.ECHO: _echo,
    EventKind.DELIVERY: _delivery,
    EventKind.READ: _read,
    EventKind.POLICY: apply_policy_notice,
    EventKind.INTEGRITY: apply_integrity_notice,
    EventKind.HANDOVER: _nothing_more,
    EventKind.COMMENT: apply_comment,
    # Another app controls the conversation: what happened counts all the same, but that app answers.
    kind_in_standby(EventKind.MESSAGE): _message,
    kind_in_standby(EventKind.POSTBACK): _postback,
    kind_in_standby(EventKind.REFERRAL): _nothing_more,
    kind_in_standby(EventKind.REACTION): _nothing_more,
    kind_in_standby(EventKind.ECHO): _echo,
    kind_in_standby(EventKind.DELIVERY): _delivery,
    kind_in_standby(EventKind.READ): _read,
}
