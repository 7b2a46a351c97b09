"""Encrypts the tokens inside an event before it is stored, and decrypts them when it is applied.

Every secret of an event sits under a key that ends in "token", at whatever depth, also of JSON that is a text
inside the event. The value, or that whole text, is replaced by `{"sealed": …}`; that name is part of the
stored data.
"""

from __future__ import annotations

import json
from typing import Any

from core.encryption import decrypt, encrypt
from core.messenger.event_fields import RawEvent

ENCRYPTED = "sealed"
MASK = "[removed]"  # what is shown in place of a token
_TOKEN = "token"
_to_json = json.JSONEncoder(separators=(",", ":")).encode


def encrypt_event(raw: RawEvent) -> str:
    """An event as compact JSON without any readable token."""
    return _to_json(_encrypt_tokens(raw))


def decrypt_event(body: str) -> RawEvent:
    """The event of a stored body with its tokens readable. Raises CannotDecrypt when they were encrypted
    under another key."""
    event: RawEvent = _decrypt_value(json.loads(body))
    return event


def mask_tokens(value: Any) -> Any:
    """A stored event, or a part of it, for people to read: with a mask in place of every token."""
    if isinstance(value, dict) and ENCRYPTED in value:
        return MASK
    if isinstance(value, dict):
        return {key: MASK if _is_token(key) else mask_tokens(inner) for key, inner in value.items()}
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return _masked_json(value)
    return [mask_tokens(inner) for inner in value] if isinstance(value, list) else value


def _masked_json(text: str) -> str:
    """A text that holds JSON, with its tokens masked; any other text as it is."""
    try:
        return _to_json(mask_tokens(json.loads(text)))
    except (ValueError, RecursionError):
        return text


def _is_token(key: str) -> bool:
    return key.lower().endswith(_TOKEN)


def _encrypt_tokens(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _encrypt_value(inner) if _is_token(key) or key == ENCRYPTED else _encrypt_tokens(inner)
            for key, inner in value.items()
        }
    if isinstance(value, str):
        return _encrypt_value(value) if _is_json_with_token(value) else value
    return [_encrypt_tokens(inner) for inner in value] if isinstance(value, list) else value


def _is_json_with_token(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[") and _TOKEN in text.lower()


def _encrypt_value(value: Any) -> Any:
    if isinstance(value, str):
        return {ENCRYPTED: encrypt(value)}
    if isinstance(value, dict):  # of a shape that is not known yet: each of its values may be the token
        return {key: _encrypt_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_encrypt_value(inner) for inner in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {ENCRYPTED: encrypt(str(value))} if is_number else value


def _decrypt_value(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get(ENCRYPTED), str):
        return decrypt(value[ENCRYPTED])
    if isinstance(value, dict):
        return {key: _decrypt_value(inner) for key, inner in value.items()}
    return [_decrypt_value(inner) for inner in value] if isinstance(value, list) else value
