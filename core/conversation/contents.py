"""The shape of a block's content: tidied before it is kept, and where its buttons lead (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.conversation.kinds import STOP_ALL, BlockDraft, BlockKind


def cleaned(block: BlockDraft) -> BlockDraft:
    """Only the fields of its kind, texts tidied, no empty choices of target."""
    content = block.content
    match block.kind:
        case BlockKind.TEXT:
            return BlockDraft(block.kind, _worded(content))
        case BlockKind.IMAGE:
            return BlockDraft(block.kind, {"url": _said(content, "url")})
        case BlockKind.BUTTONS:
            buttons = [_button(button) for button in content.get("buttons") or []]
            return BlockDraft(block.kind, {**_worded(content), "buttons": buttons})
        case BlockKind.QUICK_REPLIES:
            replies = [
                {"title": _said(reply, "title"), "message_id": reply.get("message_id")}
                for reply in content.get("replies") or []
            ]
            return BlockDraft(block.kind, {**_worded(content), "replies": replies})
        case BlockKind.OTNR:
            kept = {"title": _said(content, "title"), "after": _said(content, "after")}
            return BlockDraft(block.kind, kept, block.topic_id)
    return block


def tidied(text: str) -> str:
    """Without what no database keeps (NUL, halves of a character) and without spaces at the ends."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode().strip()


def leads_to(kind: str, content: Mapping[str, Any]) -> set[int]:
    """The messages that a block's buttons or quick replies name."""
    choices = {BlockKind.BUTTONS: "buttons", BlockKind.QUICK_REPLIES: "replies"}
    listed = content.get(choices.get(BlockKind(kind), "")) or []
    return {choice["message_id"] for choice in listed if choice.get("message_id")}


def stops(content: Mapping[str, Any]) -> set[int]:
    """The topics that a block's buttons let a customer withdraw from."""
    listed = content.get("buttons") or []
    return {button["stop"] for button in listed if button.get("stop") not in (None, STOP_ALL)}


def _worded(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": _said(content, "text"), "fallback": _said(content, "fallback")}


def _button(button: Mapping[str, Any]) -> dict[str, Any]:
    title = _said(button, "title")
    for target in ("stop", "message_id"):
        if button.get(target):
            return {"title": title, target: button[target]}
    return {"title": title, "url": _said(button, "url")}


def _said(content: Mapping[str, Any], field: str) -> str:
    return tidied(str(content.get(field) or ""))
