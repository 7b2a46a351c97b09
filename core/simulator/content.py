"""What a message may hold: the limits of the Send API, counted in UTF-16 units (assumed)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from core.simulator.behaviour import Behaviour
from core.simulator.entities import GraphError
from core.text.utf16_units import units

TEXT_LIMIT = 2000  # "less than 2000 characters": Send API reference
METADATA_LIMIT = 1000  # "less than": Send API reference
QUICK_REPLIES_LIMIT = 13
BUTTON_TEXT_LIMIT = 640
BUTTONS_LIMIT = 3
ELEMENTS_LIMIT = 10
ELEMENT_TEXT_LIMIT = 80  # of a title, and of a subtitle: generic template reference
ELEMENT_KEYS = {"title", "subtitle", "image_url", "default_action", "buttons"}
REQUEST_TITLE_LIMIT = 65  # one-time notification guide
FILE_LIMIT = 25 * 1024 * 1024  # bytes: saving assets, April 2026
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
    """Raise Refusal for the first thing that the platform would not take."""
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


def check_file(message: dict[str, Any], file: dict[str, Any]) -> None:
    """Raise Refusal for a file that may not be uploaded: 25 MB at most, and of the type it is said to be."""
    attachment = message.get("attachment") or {}
    if attachment.get("type") not in MEDIA or (attachment.get("payload") or {}).get("url"):
        _refuse("Param message[attachment] must have a type of media, and no url beside a file.")
    if not 0 < int(file.get("size") or 0) <= FILE_LIMIT:
        raise GraphError(100, "(#100) Upload attachment failure.", subcode=2018047)
    wanted = attachment["type"]
    if wanted != "file" and not str(file.get("media_type")).startswith(f"{wanted}/"):
        raise GraphError(100, "(#100) Upload attachment failure.", subcode=2018047)


def _check_attachment(attachment: Any, behaviour: Behaviour) -> None:
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if not isinstance(payload, dict):
        _refuse("Param message[attachment] must have a type and a payload.")
    if attachment.get("type") in MEDIA:
        if not payload.get("attachment_id"):
            _check_url(payload.get("url"), "message[attachment][payload][url]")
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
        _check_element(each, behaviour)


def _check_element(element: dict[str, Any], behaviour: Behaviour) -> None:
    """At least one property must be set in addition to the title: generic template reference, April 2026."""
    if unknown := set(element) - ELEMENT_KEYS:
        _refuse(f"Invalid keys {sorted(unknown)} were found in param elements.")
    _check_text(element.get("title"), "elements[title]", ELEMENT_TEXT_LIMIT)
    if set(element) == {"title"}:
        _refuse("Param elements must have at least one property in addition to title.")
    if "subtitle" in element:
        _check_text(element["subtitle"], "elements[subtitle]", ELEMENT_TEXT_LIMIT)
    if "image_url" in element:
        _check_url(element["image_url"], "elements[image_url]")
    if "default_action" in element:
        _check_default_action(element["default_action"])
    if "buttons" in element:
        _check_buttons(element["buttons"], behaviour)


def _check_default_action(action: Any) -> None:
    """The same as a URL button, without its title."""
    if not isinstance(action, dict) or action.get("type") != "web_url" or "title" in action:
        _refuse("Param elements[default_action] must be a web_url without a title.")
    _check_url(action.get("url"), "elements[default_action][url]")


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
        else:
            _check_url(each.get("url"), "buttons[url]")


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


def _check_url(value: object, name: str) -> None:
    if not str(value or "").startswith(("http://", "https://")):
        _refuse(f"Param {name} must be a valid URL.")


def _check_text(value: object, name: str, limit: int) -> None:
    if not isinstance(value, str) or not value.strip():
        _refuse(f"Param {name} must be a non-empty string.")
    elif units(value) > limit:
        _too_long(name, limit)


def _too_long(name: str, limit: int) -> NoReturn:
    _refuse(f"Length of param {name} must be less than or equal to {limit}")


def _refuse(text: str) -> NoReturn:
    raise GraphError(100, f"(#100) {text}")
