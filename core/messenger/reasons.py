"""The sentences for staff on each reason: what happened, what it means for customers, what to do.

Which code of the platform has which reason: errors.py.
"""

from __future__ import annotations

from core.errors import N_

SENTENCES: dict[str, str] = {
    "blocked": N_(
        "This customer blocked the fanpage or can no longer be reached. Nothing was sent and the "
        "opt-in was not used; there is nothing to do until they write to the fanpage again."
    ),
    "gone": N_(
        "Messenger can't find this person for this fanpage: the account was deleted, or the ID "
        "belongs to another fanpage. Nothing was sent; check where this customer came from."
    ),
    "unavailable": N_(
        "This person can't receive messages right now. Nothing was sent and the opt-in was not "
        "used; include them in a later broadcast."
    ),
    "window_closed": N_(
        "The 24 hours in which the fanpage may answer this customer are over. Nothing was sent; "
        "they have to write first, or you need an opt-in."
    ),
    "comment_too_old": N_(
        "The seven days for answering this comment in private passed before the message was sent. "
        "Nothing was sent; answer under the post, or wait until the customer writes."
    ),
    "colleague_answers": N_(
        "Somebody on your team answered this customer before the message was sent, so the chatbot stayed "
        "silent. Nothing was sent."
    ),
    "opted_out": N_(
        "This customer turned this kind of message off. Nothing was sent; please respect their choice."
    ),
    "request_limit": N_(
        "Messenger allows no further opt-in request to this customer for now. Nothing was sent; ask again "
        "another day."
    ),
    "abuse_warning": N_(
        "Messenger warned that this customer gets too many messages from the fanpage. Nothing was "
        "sent; give them a break for a while."
    ),
    "content": N_(
        "Messenger refused the content of the message (too long, an image it can't load, or an "
        "invalid part). Nothing was sent; correct the message and try again."
    ),
    "token_refused": N_(
        "Messenger refused this opt-in: it was used, has expired, or the message itself is wrong. "
        "The customer got nothing; check the message, then make the opt-in available again if it "
        "was not the problem."
    ),
    "token_invalid": N_(
        "The fanpage's access token is no longer valid. Nothing can be sent for this fanpage until "
        "an admin connects it again with a new token and presses “Fixed, resume sending”."
    ),
    "restricted": N_(
        "Facebook has restricted this fanpage. Nothing can be sent until the restriction ends; "
        "look for the notice in the fanpage's support inbox, then press “Fixed, resume sending”."
    ),
    "permission": N_(
        "The app or the fanpage lacks a permission for this (for one-time notifications: Advanced "
        "Messaging). Nothing can be sent until an admin grants it and presses “Fixed, resume "
        "sending”."
    ),
    "call_refused": N_(
        "Messenger refused the whole call, so nobody in it got the message. Sending has stopped; "
        "check the app secret and the Graph API version, then press “Fixed, resume sending”."
    ),
    "set_aside": N_(
        "Messenger refused to send to this customer because of a permission, although the fanpage "
        "can send to others. Nothing was sent and the opt-in was not used; include them in a later "
        "broadcast."
    ),
    "rate_limit": N_(
        "Messenger asks the fanpage to send more slowly. Nothing was lost; sending continues "
        "automatically at a lower rate."
    ),
    "temporary": N_(
        "Messenger had a temporary error and accepted nothing. We retry automatically; if it keeps "
        "happening, the customer may have blocked the fanpage."
    ),
    "other_app": N_(
        "Another app or Facebook's own automation controls the conversation with this customer. "
        "Nothing was sent; we retry automatically later."
    ),
    "not_connected": N_(
        "Messenger could not be reached, so nothing was sent. We retry automatically; if it "
        "continues, check this machine's internet connection."
    ),
    "timeout": N_(
        "Messenger did not answer in time, so the customer may or may not have got this message. "
        "We clear this up automatically; if it stays open, your team decides."
    ),
    "connection_lost": N_(
        "The connection broke before Messenger answered, so the customer may or may not have got "
        "this message. We clear this up automatically; if it stays open, your team decides."
    ),
    "server_error": N_(
        "Messenger reported an error on its side, so the customer may or may not have got this "
        "message. We clear this up automatically; if it stays open, your team decides."
    ),
    "not_answered": N_(
        "Messenger gave no answer for this message, so the customer may or may not have got it. We "
        "clear this up automatically; if it stays open, your team decides."
    ),
    "bad_answer": N_(
        "Messenger's answer could not be read, so the customer may or may not have got this "
        "message. We clear this up automatically; if it stays open, your team decides."
    ),
    "unknown_error": N_(
        "Messenger refused with an error code we don't know. To be safe, the opt-in stays on hold; "
        "read the technical details and decide whether it can be used again."
    ),
}


def describe(reason: str) -> str:
    """The sentence for a reason; a reason we do not know reads like an unknown error."""
    return SENTENCES.get(reason, SENTENCES["unknown_error"])
