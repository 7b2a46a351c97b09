"""Reads the content of events, kind by kind, as typed values. A part of the wrong type reads as missing."""

from __future__ import annotations

from dataclasses import dataclass

from core.messenger.event_fields import RawEvent, milliseconds, opt_in_token, part, text
from core.messenger.event_kinds import POLICY_KEYS
from core.text.identifiers import read_id


@dataclass(frozen=True)
class MessageContent:
    """What a customer wrote: text, the payload of a quick reply, or the ref of an m.me link."""

    mid: str | None
    text: str | None
    payload: str | None
    ref: str | None


@dataclass(frozen=True)
class PostbackContent:
    """A tap on a button, a menu item or Get Started (with `ref` when an m.me link led there)."""

    payload: str | None
    title: str | None
    ref: str | None


@dataclass(frozen=True)
class OptInContent:
    """A one-time opt-in; `payload` is what our request carried. The token is a secret."""

    token: str
    payload: str | None

    def __repr__(self) -> str:
        return f"OptInContent(payload={self.payload!r})"


@dataclass(frozen=True)
class EchoContent:
    """A message of the fanpage, as the platform reports it back to us."""

    mid: str | None
    metadata: str | None
    app_id: str | None


@dataclass(frozen=True)
class DeliveryReceipt:
    """Everything in the thread up to `watermark_ms` has arrived. The platform does not promise `mids`."""

    mids: tuple[str, ...]
    watermark_ms: int | None


@dataclass(frozen=True)
class PolicyNotice:
    """What Meta did about the fanpage. An `unblock` gives no reason."""

    action: str | None  # warning, block, unblock
    reason: str | None


@dataclass(frozen=True)
class Handover:
    """Whether our app controls the conversation from now on; None when the event does not say."""

    is_ours: bool | None


@dataclass(frozen=True)
class CommentContent:
    """A comment on a post of the fanpage, and whether it is new, not edited, hidden or removed."""

    comment_id: str | None
    text: str
    is_new: bool


def read_comment(raw: RawEvent) -> CommentContent:
    """Read a comment in a change of the `feed` field."""
    value = part(raw, "value")
    is_new = value.get("verb") == "add"
    return CommentContent(text(value.get("comment_id")), text(value.get("message")) or "", is_new)


def read_message(raw: RawEvent) -> MessageContent:
    """Read a `message` event."""
    message = part(raw, "message")
    reply, referral = part(message, "quick_reply"), part(message, "referral")
    return MessageContent(
        text(message.get("mid")),
        text(message.get("text")),
        text(reply.get("payload")),
        text(referral.get("ref")),
    )


def read_postback(raw: RawEvent) -> PostbackContent:
    """Read a `postback` event."""
    postback = part(raw, "postback")
    ref = text(part(postback, "referral").get("ref"))
    return PostbackContent(text(postback.get("payload")), text(postback.get("title")), ref)


def read_referral(raw: RawEvent) -> str | None:
    """Read a `referral` event: the ref of an m.me link that was opened in an existing thread."""
    return text(part(raw, "referral").get("ref"))


def read_opt_in(raw: RawEvent) -> OptInContent | None:
    """Read an `optin` event; None when it holds no one-time token."""
    optin = part(raw, "optin")
    token = opt_in_token(optin)
    return OptInContent(token, text(optin.get("payload"))) if token else None


def read_echo(raw: RawEvent) -> EchoContent:
    """Read an `echo` event."""
    message = part(raw, "message")
    return EchoContent(
        text(message.get("mid")), text(message.get("metadata")), read_id(message.get("app_id"))
    )


def read_delivery_receipt(raw: RawEvent) -> DeliveryReceipt:
    """Read a `delivery` event."""
    delivery = part(raw, "delivery")
    mids = delivery.get("mids")
    found = (mid for mid in mids if isinstance(mid, str)) if isinstance(mids, list) else ()
    return DeliveryReceipt(tuple(found), milliseconds(delivery.get("watermark")))


def read_watermark(raw: RawEvent) -> int | None:
    """Read a `read` event: everything in the thread up to this moment (milliseconds) has been read."""
    return milliseconds(part(raw, "read").get("watermark"))


def read_policy_notice(raw: RawEvent) -> PolicyNotice:
    """Read a `policy_enforcement` event."""
    enforcement = next((part(raw, key) for key in POLICY_KEYS if key in raw), {})
    return PolicyNotice(text(enforcement.get("action")), text(enforcement.get("reason")))


def read_integrity_notice(raw: RawEvent) -> str:
    """Read a Page integrity event as one line: the status, and the kinds of violations.

    https://developers.facebook.com/docs/pages-api/integrity-webhook
    """
    listed = raw.get("violations")
    violations = listed if isinstance(listed, list) else []
    kinds = [text(each.get("type")) for each in violations if isinstance(each, dict)]
    named = ", ".join(kind for kind in kinds if kind)
    return ": ".join(part for part in (text(raw.get("status")), named) if part)


def read_handover(raw: RawEvent) -> Handover:
    """Read a handover event, by which an app learns that a conversation was passed to it or taken from it.

    https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/messaging_handovers
    """
    if "pass_thread_control" in raw:
        return Handover(is_ours=True)
    return Handover(is_ours=False if "take_thread_control" in raw else None)
