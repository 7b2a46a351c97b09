"""The kinds of webhook events, and how an event shows its kind."""

from __future__ import annotations

from enum import StrEnum

from core.messenger.event_fields import RawEvent, opt_in_token

HANDOVER_KEYS = ("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles")
POLICY_KEYS = ("policy_enforcement", "policy-enforcement")  # the hyphen is the older spelling
# https://developers.facebook.com/docs/pages-api/integrity-webhook: a status, and what Meta holds against it.
_INTEGRITY_LISTS = ("violations", "restrictions", "resolutions")
# Events of the standby channel: another app controls the conversation, and we are told what happens in it.
# https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/standby
STANDBY = "standby"


class EventKind(StrEnum):
    """What an event is about. In the standby channel "standby_" stands before the kind."""

    MESSAGE = "message"
    DELETED = "deleted"
    EDIT = "edit"
    ECHO = "echo"
    REACTION = "reaction"
    POSTBACK = "postback"
    REFERRAL = "referral"
    OPT_IN = "opt_in"  # a one-time token
    OPT_IN_OTHER = "opt_in_other"  # another kind of opt-in, or one without a token
    DELIVERY = "delivery"
    READ = "read"
    HANDOVER = "handover"
    POLICY = "policy"
    INTEGRITY = "integrity"
    COMMENT = "comment"
    CHANGE = "change"  # any other change of the page's feed or settings
    OWN = "own"  # an act of the fanpage itself, such as a reaction in its inbox
    UNKNOWN = "unknown"


K = EventKind
# The field of an event that its kind is named after.
FIELDS = {
    "message_edit": K.EDIT,
    "reaction": K.REACTION,
    "postback": K.POSTBACK,
    "referral": K.REFERRAL,
    "delivery": K.DELIVERY,
    "read": K.READ,
    **dict.fromkeys(POLICY_KEYS, K.POLICY),
}
# Only a person does these.
PERSONAL = frozenset(
    {K.MESSAGE, K.DELETED, K.EDIT, K.REACTION, K.POSTBACK, K.REFERRAL, K.OPT_IN, K.OPT_IN_OTHER}
    | {K.DELIVERY, K.READ}
)
_TOLD_IN_STANDBY = (K.MESSAGE, K.POSTBACK, K.REFERRAL, K.REACTION, K.ECHO, K.DELIVERY, K.READ)


def base_kind(kind: str) -> str:
    """The kind of an event without regard to the channel in which it came."""
    return kind.removeprefix(f"{STANDBY}_")


def is_standby(kind: str) -> bool:
    """Whether another app controlled the conversation when the event happened."""
    return kind.startswith(STANDBY)


def kind_in_standby(kind: EventKind) -> str:
    """The kind of an event that came in the standby channel. An opt-in stays an opt-in: its token is good
    whoever controls the conversation."""
    if kind == K.OPT_IN:
        return kind
    return f"{STANDBY}_{kind}" if kind in _TOLD_IN_STANDBY else STANDBY


def kinds_like(kind: EventKind) -> list[str]:
    """How an event of this kind is called in either channel."""
    return [kind, kind_in_standby(kind)] if kind in _TOLD_IN_STANDBY else [kind]


def kinds_in_standby() -> list[str]:
    """Every kind that says that another app controlled the conversation."""
    return sorted({kind_in_standby(kind) for kind in EventKind if kind != K.OPT_IN})


def kind_of(event: RawEvent) -> EventKind:
    """The kind of an event, without regard to the channel in which it came."""
    message = event.get("message")
    if isinstance(message, dict):
        return K.DELETED if message.get("is_deleted") else K.ECHO if message.get("is_echo") else K.MESSAGE
    optin = event.get("optin")
    if isinstance(optin, dict):
        is_one_time = optin.get("type") == "one_time_notif_req" and opt_in_token(optin)
        return K.OPT_IN if is_one_time else K.OPT_IN_OTHER
    if any(isinstance(event.get(key), dict) for key in HANDOVER_KEYS):
        return K.HANDOVER
    found = (kind for key, kind in FIELDS.items() if isinstance(event.get(key), dict))
    return next(found, K.INTEGRITY if _is_integrity(event) else K.UNKNOWN)


def _is_integrity(event: RawEvent) -> bool:
    lists = any(isinstance(event.get(key), list) for key in _INTEGRITY_LISTS)
    return isinstance(event.get("status"), str) and lists
