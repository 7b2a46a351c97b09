"""What the platform says about an access token: `debug_token`, read from the answer to a batch of one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class TokenFacts:
    """An access token as the platform knows it."""

    app_id: str  # of the app that made it
    scopes: tuple[str, ...]  # the permissions it was given
    expires_at: datetime | None  # None: it has no end


def read_token_facts(parsed: object) -> TokenFacts | None:
    """The facts in an answer; None when it holds none that can be relied on."""
    item = parsed[0] if isinstance(parsed, list) and len(parsed) == 1 else None
    if not isinstance(item, dict) or item.get("code") != 200:
        return None
    try:
        data = json.loads(str(item.get("body")))["data"]
        scopes = data["scopes"]
        if data["is_valid"] is not True or not isinstance(scopes, list):
            return None
        return TokenFacts(str(data.get("app_id", "")), tuple(map(str, scopes)), _end(data.get("expires_at")))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _end(seconds: object) -> datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
        return None
    return datetime.fromtimestamp(seconds, UTC)
