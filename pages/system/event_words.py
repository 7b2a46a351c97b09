"""Webhook events in words: what came, and why nothing came of some of them."""

from __future__ import annotations

from core.errors import N_
from core.inbox.effects import NO_SENDER, NOTHING_TO_DO
from core.inbox.event_queries import EventView
from core.inbox.rules import UNKNOWN_FANPAGE, EventState
from core.messenger.event_kinds import EventKind, base_kind, is_standby
from pages.components.texts import _

KINDS: dict[EventKind, str] = {
    EventKind.OPT_IN: N_("Tap on “Notify me”"),
    EventKind.MESSAGE: N_("Customer's message"),
    EventKind.POSTBACK: N_("Tap on a button"),
    EventKind.REFERRAL: N_("Came through a link"),
    EventKind.COMMENT: N_("Comment on a post"),
    EventKind.REACTION: N_("Reaction"),
    EventKind.ECHO: N_("Fanpage's message, as sent"),
    EventKind.DELIVERY: N_("Delivery receipt"),
    EventKind.READ: N_("Read receipt"),
    EventKind.EDIT: N_("Message edited"),
    EventKind.DELETED: N_("Message unsent"),
    EventKind.HANDOVER: N_("Conversation handed over"),
    EventKind.POLICY: N_("Policy notice from Meta"),
    EventKind.INTEGRITY: N_("Notice about the fanpage's status"),
    EventKind.OPT_IN_OTHER: N_("Another kind of opt-in"),
    EventKind.CHANGE: N_("Change on the fanpage"),
    EventKind.OWN: N_("Action by the fanpage itself"),
    EventKind.UNKNOWN: N_("Unknown kind"),
}
_NOTES = {
    UNKNOWN_FANPAGE: N_(
        "Its fanpage is not connected here. It will be processed as soon as the fanpage is connected."
    ),
    NO_SENDER: N_("It names no customer."),
    NOTHING_TO_DO: N_("Events of this kind need no processing."),
}
_FAILURES = {
    "CannotDecrypt": N_(
        "Its token was encrypted with a different secret key. Restore that key (OTN_SECRET_KEY or "
        "data/secret.key), then replay it."
    )
}
_STOPPED = N_(
    "The program failed on this event ({error}). Nothing is lost: tell the person who runs the "
    "installation, and replay it after the fix."
)


def kind_in_words(kind: str) -> str:
    """What came; a kind without words shows itself."""
    base = base_kind(kind)
    return _(KINDS[EventKind(base)]) if base in set(EventKind) else base


def channel_in_words(kind: str) -> str:
    """That another app controls the conversation, if it does."""
    return _("another app controls the conversation") if is_standby(kind) else ""


def note_in_words(event: EventView) -> str:
    """Why nothing came of an event, or what a person has to do about it; "" when there is nothing to say."""
    if event.state == EventState.FAILED:
        words = _FAILURES.get(event.note or "")
        return _(words) if words else _(_STOPPED, error=event.note or "–")
    if event.state == EventState.PENDING and event.replayed_at:
        return _("Waiting to be recorded again.")
    if event.note in _NOTES:
        return _(_NOTES[event.note])
    if event.replayed_at:
        return _("Processed once, and recorded again by a replay.")
    return event.note or ""
