"""Builds the bodies of the Send API as plain dicts, and names the limits that the platform sets on them.

Limits count UTF-16 units (core/text/length.py), which is the strictest reading: the platform names no unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]  # the `message` object
Body = dict[str, Any]  # a whole call

# https://developers.facebook.com/docs/messenger-platform/reference/send-api
TEXT_LIMIT = 1999  # the page says "less than 2000 characters"
QUICK_REPLIES_LIMIT = 13
QUICK_REPLY_TITLE_LIMIT = 20  # a longer one is cut off by the platform
# https://developers.facebook.com/docs/messenger-platform/reference/templates/button
BUTTON_TEXT_LIMIT = 640
BUTTONS_LIMIT = 3
BUTTON_TITLE_LIMIT = 20  # widely used; not printed on the page above
# https://developers.facebook.com/docs/messenger-platform/send-messages/one-time-notification
REQUEST_TITLE_LIMIT = 65
# https://developers.facebook.com/docs/graph-api/batch-requests
BATCH_LIMIT = 50

ONE_TIME_REQUEST = "one_time_notif_req"  # the template that asks for an opt-in


@dataclass(frozen=True)
class Button:
    """Opens `url`, or sends `payload` back; exactly one of the two."""

    title: str
    url: str | None = None
    payload: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.payload is None):
            raise ValueError("a button has either a url or a payload")


@dataclass(frozen=True)
class QuickReply:
    """A quick reply: its title is shown, its payload comes back."""

    title: str
    payload: str


def text(text: str, *, metadata: str | None = None) -> Message:
    """A text message."""
    return with_metadata({"text": text}, metadata)


def image(url: str) -> Message:
    """A message that shows an image."""
    return {"attachment": {"type": "image", "payload": {"url": url}}}


def buttons(text: str, buttons: list[Button]) -> Message:
    """A text with buttons under it."""
    return _template(template_type="button", text=text, buttons=[_button(button) for button in buttons])


def quick_replies(text: str, replies: list[QuickReply]) -> Message:
    """A text with quick replies under it."""
    choices = [{"content_type": "text", "title": r.title, "payload": r.payload} for r in replies]
    return {"text": text, "quick_replies": choices}


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
    return {"type": "postback", "title": button.title, "payload": str(button.payload)}
