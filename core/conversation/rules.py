"""Messages, blocks and entry points: what may be said, and which message an event calls for."""

from __future__ import annotations

from enum import StrEnum


class BlockKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    BUTTONS = "buttons"
    QUICK_REPLIES = "quick_replies"
    OTNR = "otnr"


class EntryKind(StrEnum):
    GET_STARTED = "get_started"
    KEYWORD = "keyword"
    REF = "ref"
    BUTTON = "button"  # a button or quick reply of another message


class KeywordMatch(StrEnum):
    EXACT = "exact"
    CONTAINS = "contains"


class ReplyState(StrEnum):
    """A message sent by PSID inside the window: a bot's answer, or a request."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the platform may have taken it; never sent again on its own
    SKIPPED = "skipped"  # the window closed first
