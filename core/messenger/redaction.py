"""Removes secrets, and what a database refuses, from texts of the platform before they are kept or shown."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

from core.text.normalise import storable

DETAIL_LIMIT = 500
_REMOVED = "[removed]"
_LETTERS_AND_DIGITS = re.compile(r"[0-9A-Za-z]+")
_LOOKS_SECRET = re.compile(
    r"((?:access_token|appsecret_proof|app_secret|client_secret|one_time_notif_token)"
    r"(?:[\"'\\]|%22)*(?:\s*[=:]\s*|%3A|%3D)(?:[\"'\\]|%22)*|Bearer\s+)[^\"'\\&\s<>,;}]+|\bEAA[0-9A-Za-z]{8,}",
    re.IGNORECASE,
)


def without_secrets(text: str, secrets: Iterable[str] = (), *, limit: int = DETAIL_LIMIT) -> str:
    """A text without these secrets in any spelling, and without what looks like one, cut to `limit`
    characters."""
    for secret in sorted({s for s in secrets if len(s) >= 4 and _may_hold(text, s)}, key=len, reverse=True):
        for spelling in spellings_of(secret):
            text = text.replace(spelling, _REMOVED)
    text = _LOOKS_SECRET.sub(lambda found: (found[1] or "") + _REMOVED, text)
    text = storable(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _may_hold(text: str, secret: str) -> bool:
    """Whether a text may hold a secret, by its longest run of letters and digits, which every spelling leaves
    as it is. It is a quick check first, since a call for many fanpages has some two hundred secrets."""
    return max(_LETTERS_AND_DIGITS.findall(secret), key=len, default="") in text


def spellings_of(secret: str) -> tuple[str, ...]:
    """The forms in which a secret may stand in an answer: as it is, in JSON, in a URL, in HTML."""
    quoted = quote(secret, safe="", errors="replace")
    in_json = json.dumps(secret)[1:-1]
    return (
        secret,
        in_json,
        in_json.replace("/", r"\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quoted,
        quote(quoted, safe=""),
        html.escape(secret),
    )
