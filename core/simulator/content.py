"""What a message may hold: the limits of the Send API, counted in UTF-16 units (assumed)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from core.simulator.behaviour import Behaviour
from core.simulator.entities import GraphError
from core.text.length import units

TEXT_LIMIT = 2000  # "less than 2000 characters": Send API reference
METADATA_LIMIT = 1000  # "less than": Send API reference
QUICK_REPLIES_LIMIT = 13
BUTTON_TEXT_LIMIT = 640
BUTTONS_LIMIT = 3
ELEMENTS_LIMIT = 10
ELEMENT_TITLE_LIMIT = 80
REQUEST_TITLE_LIMIT = 65  # one-time notification guide
MEDIA = ("image", "audio", "video", "file")
PHONE = re.compile(r"\+[0-9]{5,15}")  # with the country code: button reference
QUICK_REPLIES_OF_THE_PERSON = ("user_phone_number", "user_email")  # Messenger fills in title and payload
KNOWN_KEYS = {"text", "attachment", "quick_replies", "metadata"}


def is_request(message: dict[str, Any]) -> bool:
    """Whether a message is a one-time notification request."""
    attachment = message.get("attachment")
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    return isinstance(payload, dict) and payload.get("template_type") == "one_time_notif_req"


def check_message(message: dict[str, Any], behaviour: Behaviour) -> None:
    """Raises Refusal for the first thing that the platform would not take."""
    if unknown := set(message) - KNOWN_KEYS:
        _refuse(f"Invalid keys {sorted(unknown)} were found in param message.")
    if "text" in message and "attachment" in message:
        _refuse("Param message cannot have both text and attachment.")
    if "attachment" in message:
        _check_attachment(message["attachment"], behaviour)
    elif not isinstance(message.get("text"), str) or not message["text"].strip():
        raise GraphError(
            100, "(#100) Message cannot be empty, must provide valid attachment or text", subcode=2018034
        )
    elif units(message["text"]) >= TEXT_LIMIT:
        _too_long("message[text]", TEXT_LIMIT - 1)
    if "quick_replies" in message:
        _check_quick_replies(message["quick_replies"], behaviour)
    metadata = message.get("metadata", "")
    if not isinstance(metadata, str) or units(metadata) >= METADATA_LIMIT:
        _too_long("message[metadata]", METADATA_LIMIT - 1)


def _check_attachment(attachment: Any, behaviour: Behaviour) -> None:
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if not isinstance(payload, dict):
        _refuse("Param message[attachment] must have a type and a payload.")
    if attachment.get("type") in MEDIA:
        url = payload.get("url", "")
        if not payload.get("attachment_id") and not str(url).startswith(("http://", "https://")):
            _refuse("Param message[attachment][payload][url] must be a valid URL.")
        return
    check_message = _TEMPLATES.get(payload.get("template_type", ""))
    if attachment.get("type") != "template" or check_message is None:
        _refuse("Param message[attachment] has an unknown type or template_type.")
    check_message(payload, behaviour)


def _check_request(payload: dict[str, Any], behaviour: Behaviour) -> None:
    if extra := set(payload) - {"template_type", "title", "payload"}:
        _refuse(f"A one-time notification request takes only title and payload, not {sorted(extra)}.")
    _check_text(payload.get("title"), "title", REQUEST_TITLE_LIMIT)
    _check_text(payload.get("payload"), "payload", behaviour.payload_limit)


def _check_button_template(payload: dict[str, Any], behaviour: Behaviour) -> None:
    _check_text(payload.get("text"), "text", BUTTON_TEXT_LIMIT)
    _check_buttons(payload.get("buttons"), behaviour)


def _check_generic(payload: dict[str, Any], behaviour: Behaviour) -> None:
    elements = payload.get("elements")
    if not isinstance(elements, list) or not elements or not all(isinstance(each, dict) for each in elements):
        _refuse("Param elements must be a non-empty array of objects.")
    if len(elements) > ELEMENTS_LIMIT:
        raise GraphError(105, "(#105) Param elements has too many elements.")
    for each in elements:
        _check_text(each.get("title"), "elements[title]", ELEMENT_TITLE_LIMIT)
        if "buttons" in each:
            _check_buttons(each["buttons"], behaviour)


def _check_media_template(payload: dict[str, Any], behaviour: Behaviour) -> None:
    """One image or video that Facebook already has: by attachment id, or by its URL on Facebook."""
    elements = payload.get("elements")
    if not isinstance(elements, list) or len(elements) != 1 or not isinstance(elements[0], dict):
        _refuse("Param elements must have exactly one element.")
    each = elements[0]
    if each.get("media_type") not in ("image", "video"):
        _refuse("Param elements[media_type] must be one of image, video.")
    if bool(each.get("attachment_id")) == bool(each.get("url")):
        _refuse("Param elements must have either attachment_id or url.")
    if "buttons" in each:
        _check_buttons(each["buttons"], behaviour)


_TEMPLATES: dict[str, Callable[[dict[str, Any], Behaviour], None]] = {
    "one_time_notif_req": _check_request,
    "button": _check_button_template,
    "generic": _check_generic,
    "media": _check_media_template,
}


def _check_buttons(buttons: Any, behaviour: Behaviour) -> None:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= BUTTONS_LIMIT:
        _refuse(f"Param buttons must have 1 to {BUTTONS_LIMIT} elements.")
    for each in buttons:
        if not isinstance(each, dict) or each.get("type") not in ("web_url", "postback", "phone_number"):
            _refuse("Param buttons[type] must be one of web_url, postback, phone_number.")
        _check_text(each.get("title"), "buttons[title]", behaviour.button_title_limit)
        if each["type"] == "postback":
            _check_text(each.get("payload"), "buttons[payload]", behaviour.payload_limit)
        elif each["type"] == "phone_number":
            if not PHONE.fullmatch(str(each.get("payload", ""))):
                _refuse("Param buttons[payload] must be a phone number with its country code.")
        elif not str(each.get("url", "")).startswith(("http://", "https://")):
            _refuse("Param buttons[url] must be a valid URL.")


def _check_quick_replies(replies: Any, behaviour: Behaviour) -> None:
    if not isinstance(replies, list) or not 1 <= len(replies) <= QUICK_REPLIES_LIMIT:
        _refuse(f"Param quick_replies must have 1 to {QUICK_REPLIES_LIMIT} elements.")
    for each in replies:
        if isinstance(each, dict) and each.get("content_type") in QUICK_REPLIES_OF_THE_PERSON:
            continue
        if not isinstance(each, dict) or each.get("content_type") != "text":
            _refuse("Param quick_replies[content_type] must be text, user_phone_number or user_email.")
        # Longer titles are cut off on the phone, not refused.
        _check_text(each.get("title"), "quick_replies[title]", TEXT_LIMIT)
        _check_text(each.get("payload"), "quick_replies[payload]", behaviour.payload_limit)


def _check_text(value: object, name: str, limit: int) -> None:
    if not isinstance(value, str) or not value.strip():
        _refuse(f"Param {name} must be a non-empty string.")
    elif units(value) > limit:
        _too_long(name, limit)


def _too_long(name: str, limit: int) -> NoReturn:
    _refuse(f"Length of param {name} must be less than or equal to {limit}")


def _refuse(text: str) -> NoReturn:
    raise GraphError(100, f"(#100) {text}")
