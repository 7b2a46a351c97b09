"""The sentences for staff on each reason: what happened, what it means for customers, what to do."""

from __future__ import annotations

from core.errors import N_

SENTENCES: dict[str, str] = {
    "blocked": N_(
        "This customer blocked the fanpage or cannot be reached any more. Nothing was sent and the opt-in "
        "was not used; nothing to do until they write to the fanpage again."
    ),
    "gone": N_(
        "Messenger knows no such person for this fanpage: the account was deleted, or the ID belongs to "
        "another fanpage. Nothing was sent; check where this customer came from."
    ),
    "unavailable": N_(
        "This person cannot receive messages right now. Nothing was sent and the opt-in was not used; "
        "include them in a later broadcast."
    ),
    "window_closed": N_(
        "The 24 hours in which the fanpage may answer this customer are over. Nothing was sent; they have to "
        "write first, or a one-time opt-in is needed."
    ),
    "comment_too_old": N_(
        "The seven days in which a comment may be answered in private were over before it was. Nothing was "
        "sent; answer under the post, or wait until the customer writes."
    ),
    "opted_out": N_(
        "This customer stopped this kind of message. Nothing was sent; please respect their choice."
    ),
    "request_limit": N_(
        "Messenger allows no further opt-in request to this customer for now. Nothing was sent; ask again "
        "another day."
    ),
    "abuse_warning": N_(
        "Messenger warned that this customer gets too many messages from the fanpage. Nothing was sent; "
        "leave them in peace for a while."
    ),
    "content": N_(
        "Messenger refused what the message contains (too long, an image it cannot load, a wrong part). "
        "Nothing was sent; correct the message and try again."
    ),
    "token_refused": N_(
        "Messenger refused this one-time opt-in: it was used, has expired, or the message itself is wrong. "
        "The customer got nothing; check the message, then make the opt-in available again if it was "
        "not at fault."
    ),
    "token_invalid": N_(
        "The fanpage's access token is no longer valid. Nothing can be sent for this fanpage until an admin "
        "connects it again with a new token and presses “Repaired, go on”."
    ),
    "restricted": N_(
        "Facebook has restricted this fanpage. Nothing can be sent until the restriction ends; look for "
        "the notice in the fanpage's support inbox, then press “Repaired, go on”."
    ),
    "permission": N_(
        "The app or the fanpage lacks a permission for this (for one-time notifications: Advanced "
        "Messaging). Nothing can be sent until an admin grants it and presses “Repaired, go on”."
    ),
    "call_refused": N_(
        "Messenger refused the call as a whole, so nobody in it got anything. Sending has stopped; check "
        "the app secret and the version of the Graph API, then press “Repaired, go on”."
    ),
    "set_aside": N_(
        "Messenger refused to send to this customer in words that speak of a permission, although the "
        "fanpage may send to others. Nothing was sent and the opt-in was not used; include them in a later "
        "broadcast."
    ),
    "rate_limit": N_(
        "Messenger asks the fanpage to send more slowly. Nothing was lost; sending goes on by itself at a "
        "lower rate."
    ),
    "temporary": N_(
        "Messenger had a passing fault and took nothing. It is tried again by itself; if it keeps coming "
        "back, the customer may have blocked the fanpage."
    ),
    "other_app": N_(
        "Another app or Facebook's own automation holds the conversation with this customer. Nothing was "
        "sent; it is tried again later by itself."
    ),
    "not_connected": N_(
        "Messenger could not be reached, so nothing was sent. It is tried again by itself; check this "
        "machine's internet connection if it lasts."
    ),
    "timeout": N_(
        "Messenger did not answer in time, so the customer may or may not have got this message. It is "
        "cleared up by itself; what stays open, staff settle."
    ),
    "connection_lost": N_(
        "The connection broke before Messenger answered, so the customer may or may not have got this "
        "message. It is cleared up by itself; what stays open, staff settle."
    ),
    "server_error": N_(
        "Messenger reported a fault of its own, so the customer may or may not have got this message. It is "
        "cleared up by itself; what stays open, staff settle."
    ),
    "not_answered": N_(
        "Messenger left this message without an answer, so the customer may or may not have got it. It is "
        "cleared up by itself; what stays open, staff settle."
    ),
    "bad_answer": N_(
        "Messenger's answer could not be understood, so the customer may or may not have got this message. "
        "It is cleared up by itself; what stays open, staff settle."
    ),
    "unknown_error": N_(
        "Messenger refused with a code we do not know. To be safe the opt-in stays reserved; read the "
        "technical part and decide whether it may be used again."
    ),
}


def describe(reason: str) -> str:
    """The sentence for a reason; a reason we do not know reads like an unknown error."""
    return SENTENCES.get(reason, SENTENCES["unknown_error"])
