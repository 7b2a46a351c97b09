"""What a message's draft says, where two people changed the same of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from core.conversation.blocks.bubble import Bubble, Tap
from core.conversation.drafts import EntryDraft
from core.conversation.entry_kinds.registry import COMPOSED
from core.conversation.payloads import ASK_PAYLOAD, MESSAGE_PAYLOAD
from core.conversation.preview import bubbles_of
from core.conversation.queries import message_names, topic_names
from core.conversation.stored_content import entries_in, to_stored
from core.conversation.versions import Draft
from core.conversation.wording_tests import OTHER_TITLE, has_two_wordings
from core.errors import N_
from pages.components import draft_conflict
from pages.components.session import current
from pages.components.texts import _


def draw(draft: Draft, keep_mine: Callable[[dict[str, Any]], None]) -> None:
    """Shows itself until somebody has chosen; the draft itself says what the other wrote."""
    theirs = {"name": draft.name, **to_stored(draft.blocks, draft.entry_points)}
    draft_conflict.draw(KIND, draft.id, theirs, draft.changes, keep_mine)


def _words(field: str, value: Any) -> str:
    match field:
        case "blocks":
            return "\n".join(words for block in value for words in _block(block)) or "–"
        case "entry_points":
            return "\n".join(map(_listed, entries_in({"entry_points": value}))) or "–"
    return str(value)


def _listed(entry: EntryDraft) -> str:
    return _(COMPOSED[entry.kind].listed, value=entry.value)


def _block(block: dict[str, Any]) -> list[str]:
    """Every word of it, since any of them may be what differs."""
    content = block["content"]
    bubbles = bubbles_of(block["kind"], content, first_name=None, tapped=True)
    other = [content[OTHER_TITLE]] if has_two_wordings(content) else []
    topic = _names(topic_names).get(block["topic_id"], "") if block["topic_id"] else ""
    said = [*(words for bubble in bubbles for words in _said(bubble)), *other, topic]
    return [words for words in said if words]


def _said(bubble: Bubble) -> Iterator[str]:
    yield bubble.text
    for card in bubble.cards:
        yield from (card.title, card.subtitle, card.picture, card.url)
        yield from (words for tap in card.taps for words in _of_tap(tap))
    yield from (words for tap in (*bubble.taps, *bubble.replies) for words in _of_tap(tap))


def _of_tap(tap: Tap) -> Iterator[str]:
    yield from (tap.title, tap.url, tap.phone)
    for beginning, names in ((MESSAGE_PAYLOAD, message_names), (ASK_PAYLOAD, topic_names)):
        if tap.payload.startswith(beginning):
            yield _names(names).get(int(tap.payload.removeprefix(beginning)), "")


def _names(names: Callable[[int], dict[int, str]]) -> dict[int, str]:
    fanpage = current().fanpage
    return names(fanpage.id) if fanpage is not None else {}


KIND = draft_conflict.Kind(
    "message",
    {
        "name": N_("Name"),
        "blocks": N_("Content"),
        "entry_points": N_("The chatbot sends this message when…"),
    },
    _words,
)
