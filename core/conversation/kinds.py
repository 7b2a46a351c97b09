"""The words of a conversation: kinds of blocks and entry points, and what staff write down for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

GET_STARTED_PAYLOAD = "GET_STARTED"
MESSAGE_PAYLOAD = "message:"  # + id: what a button or quick reply that leads to a message sends back
STOP_PAYLOAD = "stop:"  # + "all" or a topic's id: whoever taps it wants no notifications (about it)
STOP_ALL = "all"
REQUEST_PAYLOAD = "otn."  # + 22 random characters: leads a tap on "Notify Me" back to its request


class BlockKind(StrEnum):
    TEXT = "text"  # {"text", "fallback"}
    IMAGE = "image"  # {"url"}
    BUTTONS = "buttons"  # {"text", "fallback", "buttons": [{"title", "url" | "message_id" | "stop"}]}
    QUICK_REPLIES = "quick_replies"  # {"text", "fallback", "replies": [{"title", "message_id"}]}
    OTNR = "otnr"  # {"title", "after"} and a topic


class EntryKind(StrEnum):
    GET_STARTED = "get_started"
    KEYWORD = "keyword"
    REF = "ref"
    BUTTON = "button"  # a button or quick reply of another message; it has no row of its own


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


@dataclass(frozen=True)
class BlockDraft:
    kind: str
    content: dict[str, Any] = field(default_factory=dict)
    topic_id: int | None = None  # of an OTNR


@dataclass(frozen=True)
class EntryDraft:
    kind: str
    match: str | None = None  # of a keyword
    value: str = ""


@dataclass(frozen=True)
class MessageDraft:
    name: str
    blocks: list[BlockDraft]
    entry_points: list[EntryDraft]
