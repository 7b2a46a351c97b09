"""Uploaded pictures: how blocks name them, and what is put in that place on the wire (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

UPLOADED = "upload:"  # + the name of the picture: stands where an address would
PATH = "/pictures/"  # of the webhook server, + the name
NAME = re.compile(r"[0-9a-f]{40}\.(?:jpg|png|gif)")
UPLOAD_LIMIT = 10 * 1024 * 1024  # bytes of a file that somebody uploads
PIXELS_LIMIT = 40_000_000  # of a picture before it is made smaller
LONGEST_SIDE = 1600  # pixels of what is kept; phones show less
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}

AttachmentOf = Callable[[str], str | None]  # what Messenger calls a picture that was handed over to it


def name_in(address: object) -> str | None:
    """The picture that an address names; None for an address of the web, and for names that we never make."""
    text = str(address or "")
    name = text.removeprefix(UPLOADED)
    return name if text.startswith(UPLOADED) and NAME.fullmatch(name) else None


def media_type_of(name: str) -> str:
    return MEDIA_TYPES[name.rpartition(".")[2]]


def attached_picture(message: Mapping[str, Any]) -> str | None:
    """The uploaded picture that a message consists of, if it does: it may go as an attachment."""
    attachment = message.get("attachment") or {}
    is_image = attachment.get("type") == "image"
    return name_in((attachment.get("payload") or {}).get("url")) if is_image else None


def with_pictures(message: Mapping[str, Any], address: str, attachment_of: AttachmentOf) -> dict[str, Any]:
    """A copy that Messenger can show: a picture by itself goes as the attachment that Messenger already has,
    else, as on cards, it is fetched from `address`, where the webhook server is reached."""
    name = attached_picture(message)
    attachment_id = attachment_of(name) if name else None
    if attachment_id:
        shown = {**message["attachment"], "payload": {"attachment_id": attachment_id}}
        return {**message, "attachment": shown}
    return dict(_walk(message, lambda name: f"{address}{PATH}{name}"))


def _walk(value: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _walk(each, replace) for key, each in value.items()}
    if isinstance(value, list):
        return [_walk(each, replace) for each in value]
    name = name_in(value) if isinstance(value, str) else None
    return replace(name) if name else value
