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
    EventKind.REFERRAL: N_("Came by a link"),
    EventKind.COMMENT: N_("Comment on a post"),
    EventKind.REACTION: N_("Reaction"),
    EventKind.ECHO: N_("Our message, as sent"),
    EventKind.DELIVERY: N_("Delivery receipt"),
    EventKind.READ: N_("Read receipt"),
    EventKind.EDIT: N_("Message edited"),
    EventKind.DELETED: N_("Message unsent"),
    EventKind.HANDOVER: N_("Conversation handed over"),
    EventKind.POLICY: N_("Notice of Meta's policies"),
    EventKind.INTEGRITY: N_("Notice of the Page's standing"),
    EventKind.OPT_IN_OTHER: N_("Another kind of opt-in"),
    EventKind.CHANGE: N_("Change on the Page"),
    EventKind.OWN: N_("Act of the Page itself"),
    EventKind.UNKNOWN: N_("Of unknown kind"),
}
_NOTES = {
    UNKNOWN_FANPAGE: N_("Its Page is not connected here. It is applied as soon as the Page is connected."),
    NO_SENDER: N_("It names no customer."),
    NOTHING_TO_DO: N_("Nothing follows from events of this kind."),
}
_FAILURES = {
    "CannotDecrypt": N_(
        "Its token was sealed with another secret key. Bring back that key (OTN_SECRET_KEY or "
        "data/secret.key), then replay it."
    )
}
_STOPPED = N_(
    "The program stopped on it ({error}). Nothing is lost: tell whoever runs the installation, and replay "
    "it after the repair."
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
        return _("Waits to be recorded again.")
    if event.note in _NOTES:
        return _(_NOTES[event.note])
    if event.replayed_at:
        return _("Applied once, and recorded again by a replay.")
    return event.note or ""
