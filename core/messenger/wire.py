"""Builds the bodies of the Send API as plain dicts. What it takes at most: message_limits.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]  # the `message` object
Body = dict[str, Any]  # a whole call

# https://developers.facebook.com/docs/messenger-platform/send-messages/quick-replies
_ASKS = {"email": "user_email", "phone": "user_phone_number"}

# Begins the metadata of every message that we send, by which its echo is known as ours.
OUR_MARK = "otn."
ONE_TIME_REQUEST = "one_time_notif_req"  # the template that asks for an opt-in


@dataclass(frozen=True)
class Button:
    """Opens `url`, calls `phone`, or sends `payload` back; exactly one of them."""

    title: str
    url: str | None = None
    payload: str | None = None
    phone: str | None = None

    def __post_init__(self) -> None:
        if [self.url, self.payload, self.phone].count(None) != 2:
            raise ValueError("a button has a url, a payload or a phone number, and one of them only")


@dataclass(frozen=True)
class QuickReply:
    """A quick reply: its title is shown, its payload comes back.

    One that asks for the "email" or the "phone" of the customer has neither: the phone shows what Messenger
    knows of the person, and sends that back when it is tapped.
    """

    title: str = ""
    payload: str = ""
    asks: str = ""


@dataclass(frozen=True)
class Card:
    """An element of the generic template. The platform wants at least one thing beside the title."""

    title: str
    subtitle: str = ""
    image_url: str = ""
    url: str = ""  # opened by a tap on the card itself
    buttons: Sequence[Button] = ()


def text(text: str, *, metadata: str | None = None) -> Message:
    """A text message."""
    return with_metadata({"text": text}, metadata)


def media(kind: str, url: str) -> Message:
    """A message that is an image, a video, a sound or a file, fetched from `url`."""
    return {"attachment": {"type": kind, "payload": {"url": url}}}


def media_url(message: Message, kind: str) -> str | None:
    """Where a message's image, video or file is fetched from; None when it is no such message."""
    attachment = message.get("attachment") or {}
    if attachment.get("type") != kind:
        return None
    return str((attachment.get("payload") or {}).get("url") or "")


def cards(cards: Sequence[Card]) -> Message:
    """A message of one card, or of several beside one another."""
    return _template(template_type="generic", elements=[_element(card) for card in cards])


def buttons(text: str, buttons: list[Button]) -> Message:
    """A text with buttons under it."""
    return _template(template_type="button", text=text, buttons=[_button(button) for button in buttons])


def with_quick_replies(message: Message, replies: Sequence[QuickReply]) -> Message:
    """A copy with quick replies under it; they may stand under a text or an attachment."""
    return {**message, "quick_replies": [_reply(reply) for reply in replies]} if replies else message


def asked_by(reply: Mapping[str, Any]) -> str:
    """What a quick reply of the wire asks the customer for: "email", "phone", or nothing."""
    return next((asks for asks, kind in _ASKS.items() if reply.get("content_type") == kind), "")


def one_time_request(title: str, payload: str) -> Message:
    """The OTNR: only its title is ours to word; the platform draws the button."""
    return _template(template_type=ONE_TIME_REQUEST, title=title, payload=payload)


def template_of(message: Message, template_type: str) -> dict[str, Any] | None:
    """The payload of a message that is such a template; None when it is another message."""
    payload = (message.get("attachment") or {}).get("payload") or {}
    return payload if payload.get("template_type") == template_type else None


def with_metadata(message: Message, metadata: str | None) -> Message:
    """A copy that carries `metadata`; the platform repeats it in the echo."""
    return message if metadata is None else {**message, "metadata": metadata}


def send_to_token(token: str, message: Message) -> Body:
    """The body of a message that spends a one-time token. The token names the person, so there is no PSID."""
    return {"recipient": {"one_time_notif_token": token}, "message": message, "messaging_type": "UPDATE"}


def send_to_psid(psid: str, message: Message) -> Body:
    """The body of a message to a person within the standard messaging window."""
    return {"recipient": {"id": psid}, "message": message, "messaging_type": "RESPONSE"}


def send_to_comment(comment_id: str, message: Message) -> Body:
    """The body of a private reply to the author of a comment, whose window need not be open.
    https://developers.facebook.com/documentation/business-messaging/messenger-platform/discovery/private-replies
    """
    return {"recipient": {"comment_id": comment_id}, "message": message, "messaging_type": "RESPONSE"}


def typing(psid: str) -> Body:
    """The body of a call that shows the person that we are typing, for 20 seconds or until a message comes.

    https://developers.facebook.com/docs/messenger-platform/send-messages/sender-actions
    """
    return {"recipient": {"id": psid}, "sender_action": "typing_on"}


def token_spent_by(body: Body) -> str | None:
    """The one-time token that a body spends, or None."""
    recipient = body.get("recipient")
    token = recipient.get("one_time_notif_token") if isinstance(recipient, dict) else None
    return token if isinstance(token, str) else None


def _template(**payload: Any) -> Message:
    return {"attachment": {"type": "template", "payload": payload}}


def _button(button: Button) -> dict[str, str]:
    if button.url is not None:
        return {"type": "web_url", "title": button.title, "url": button.url}
    if button.phone is not None:
        return {"type": "phone_number", "title": button.title, "payload": button.phone}
    return {"type": "postback", "title": button.title, "payload": str(button.payload)}


def _reply(reply: QuickReply) -> dict[str, str]:
    if reply.asks:
        return {"content_type": _ASKS[reply.asks]}
    return {"content_type": "text", "title": reply.title, "payload": reply.payload}


def _element(card: Card) -> dict[str, Any]:
    action = {"type": "web_url", "url": card.url} if card.url else None
    said = {
        "title": card.title,
        "subtitle": card.subtitle,
        "image_url": card.image_url,
        "default_action": action,
        "buttons": [_button(button) for button in card.buttons],
    }
    return {name: value for name, value in said.items() if value or name == "title"}
