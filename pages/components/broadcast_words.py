"""A broadcast's codes in words: reasons of deliveries, of people left out, evidence; short, and in full."""

from __future__ import annotations

from datetime import datetime

from core.broadcasts.draft_rules import BestBefore
from core.broadcasts.queries import BroadcastView
from core.consent.eligibility import ELIGIBLE, reason
from core.errors import N_
from core.messenger.reasons import SENTENCES, describe
from pages.components.texts import _, number, when

ALL_REFUSED = "all_refused"  # pause code and reason in old rows only: nobody of the first twenty was reached
# Short enough for a filter or a cell of a table.
REASONS: dict[str, str] = {
    "blocked": N_("Blocked the fanpage"),
    "gone": N_("Person not found"),
    "unavailable": N_("Can't receive messages now"),
    "window_closed": N_("24-hour window closed"),
    "comment_too_old": N_("Comment too old"),
    "colleague_answers": N_("Your team answered"),
    "opted_out": N_("Turned these messages off"),
    "request_limit": N_("Asked too often"),
    "abuse_warning": N_("Gets too many messages"),
    "content": N_("Message refused"),
    "token_refused": N_("Opt-in refused"),
    "token_invalid": N_("Access token not valid"),
    "restricted": N_("Fanpage restricted"),
    "permission": N_("Permission missing"),
    "call_refused": N_("Call refused"),
    "rate_limit": N_("Sending too fast"),
    "temporary": N_("Temporary error"),
    "other_app": N_("Another app has the conversation"),
    "not_connected": N_("Could not reach Messenger"),
    "timeout": N_("Timed out"),
    "connection_lost": N_("Connection lost"),
    "server_error": N_("Messenger error"),
    "not_answered": N_("No answer"),
    "bad_answer": N_("Unreadable answer"),
    "unknown_error": N_("Unknown error code"),
    "set_aside": N_("Set aside"),
    "too_late": N_("Send-by time passed"),
    "cancelled": N_("Broadcast cancelled"),
    "withdrawn": N_("Opt-in withdrawn"),
    "expired": N_("Opt-in ended"),
    "lease_ran_out": N_("Sending was interrupted"),
    ALL_REFUSED: N_("Stopped automatically"),
    "cannot_open": N_("Encrypted with a different key"),
    "our_error": N_("Error on our side"),
    "colleague": N_("Your team answered"),
}
# What our own codes mean; Messenger's are in core.messenger.reasons.
_OWN: dict[str, str] = {
    "too_late": N_(
        "The send-by time passed before it was their turn. Nothing was sent and the opt-in can be used again."
    ),
    "cancelled": N_(
        "Your team cancelled the broadcast before it was their turn. Nothing was sent and the "
        "opt-in can be used again."
    ),
    "withdrawn": N_(
        "The customer opted out after the broadcast started. Nothing was sent, and nothing will be."
    ),
    "expired": N_(
        "The opt-in expired after its year, before it was their turn. Nothing was sent; ask this "
        "customer again."
    ),
    "lease_ran_out": N_(
        "The worker was interrupted while sending, so the customer may or may not have got this "
        "message. We clear this up automatically; if it stays open, your team decides."
    ),
    ALL_REFUSED: N_(
        "The first twenty were all refused, so the broadcast stopped before it was their turn. Nothing was "
        "sent and the opt-in can be used again."
    ),
    "cannot_open": N_(
        "This opt-in was encrypted with a different key, so nothing was sent. Restore the previous "
        "OTN_SECRET_KEY, then retry the failed messages."
    ),
    "our_error": N_(
        "Something went wrong on our side while sending, so the customer may or may not have got "
        "this message. Tell your admin; the technical details name the error."
    ),
}
EVIDENCE: dict[str, str] = {
    "refused_on_retry": N_("Confirmed on retry: the opt-in had already been used"),
    "accepted_on_retry": N_("Accepted on a later attempt"),
    "staff": N_("Counted as sent by your team"),
    "echo": N_("Confirmed by Messenger, which reported the message"),
    "elsewhere": N_("Known from the database that was there before the restore"),
}


def reason_word(code: str | None) -> str:
    """Why a delivery did not arrive, in a few words; empty without a code."""
    return _(REASONS.get(code, N_("Another reason"))) if code else ""


def reason_sentence(code: str) -> str:
    """What happened, what it means, what to do."""
    own = code in _OWN and code not in SENTENCES
    return _(_OWN[code]) if own else _(describe(code))


def evidence_word(code: str | None) -> str:
    """What proves that a delivery arrived; empty when that needs no saying."""
    return _(EVIDENCE[code]) if code in EVIDENCE else ""


def eligibility_word(code: str) -> str:
    """A reason to be left out in a word or two, or that somebody gets it."""
    return _("Will get it") if code == ELIGIBLE else _(reason(code).word)


def eligibility_sentence(code: str) -> str:
    return _(reason(code).sentence)


def size_word(size: int) -> str:
    """The size of the first part, in words."""
    return _("First {n}, then the rest", n=number(size)) if size else _("No, send to everybody at once")


def best_before_word(chosen: BestBefore, zone: str | None = None) -> str:
    """Until when a broadcast may still be sent."""
    if isinstance(chosen, datetime):
        return when(chosen, zone)
    return _("12 hours after the start") if chosen else _("No limit")


def still_growing(view: BroadcastView) -> str:
    """A note for numbers that are not final yet; empty when they are."""
    return "" if view.is_complete else _("A large audience: more people are being added right now.")
