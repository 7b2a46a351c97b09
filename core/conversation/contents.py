"""The shape of a block's content: made clean before it is kept, and where its buttons lead (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.conversation.kinds import STOP_ALL, BlockDraft, BlockKind
from core.text.identifiers import unwrapped
from core.text.normalise import normalise_name, normalise_text, storable


def cleaned(block: BlockDraft) -> BlockDraft:
    """Only the fields of its kind, texts normalised, no empty choices of target."""
    content = block.content
    match block.kind:
        case BlockKind.TEXT:
            return BlockDraft(block.kind, _worded(content))
        case BlockKind.IMAGE:
            return BlockDraft(block.kind, {"url": _address(content)})
        case BlockKind.BUTTONS:
            buttons = [_button(button) for button in content.get("buttons") or []]
            return BlockDraft(block.kind, {**_worded(content), "buttons": buttons})
        case BlockKind.QUICK_REPLIES:
            replies = [
                {"title": _title(reply), "message_id": reply.get("message_id")}
                for reply in content.get("replies") or []
            ]
            return BlockDraft(block.kind, {**_worded(content), "replies": replies})
        case BlockKind.OTNR:
            kept = {"title": _title(content), "after": normalise_text(_said(content, "after"))}
            return BlockDraft(block.kind, kept, block.topic_id)
    return block


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
    return {
        "text": normalise_text(_said(content, "text")),
        "fallback": normalise_name(_said(content, "fallback")),
    }


def _button(button: Mapping[str, Any]) -> dict[str, Any]:
    title = _title(button)
    for target in ("stop", "message_id"):
        if button.get(target):
            return {"title": title, target: button[target]}
    return {"title": title, "url": _address(button)}


def _title(content: Mapping[str, Any]) -> str:
    return normalise_name(_said(content, "title"))


def _address(content: Mapping[str, Any]) -> str:
    """Only its ends are made clean: another spelling of its letters may be another address."""
    return unwrapped(storable(_said(content, "url")))


def _said(content: Mapping[str, Any], field: str) -> str:
    return str(content.get(field) or "")
