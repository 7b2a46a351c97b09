"""What a broadcast's draft says, where two people changed the same of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.broadcasts.drafts import FIELDS, Draft
from core.consent.queries import get_topic_name
from core.errors import N_
from pages.components import draft_conflict
from pages.components.broadcast_words import best_before_word, size_word
from pages.components.texts import _, when


def draw(draft: Draft, keep_mine: Callable[[dict[str, Any]], None]) -> None:
    """Shows itself on every step until somebody has chosen; the draft itself says what the other wrote."""
    theirs = {field: getattr(draft, field) for field in FIELDS}
    draft_conflict.draw(KIND, draft.id, theirs, draft.changes, keep_mine)


def _words(field: str, value: Any) -> str:
    match field:
        case "topic_id":
            return get_topic_name(value)
        case "content":
            buttons = [f"[{button.get('title', '')}]" for button in value.get("buttons", [])]
            return "\n".join([value.get("text") or value.get("url") or "–", *buttons])
        case "due_at":
            return when(value) if value else _("As soon as you launch it")
        case "best_before":
            return best_before_word(value)
        case "filters":
            return _("Only some of them") if value else _("Everybody who agreed")
        case "saves_opt_ins":
            return _("Yes") if value else _("No")
        case "first_part":
            return size_word(value)
    return str(value)


KIND = draft_conflict.Kind(
    "broadcast",
    {
        "topic_id": N_("OTN topic"),
        "filters": N_("Only some of them"),
        "saves_opt_ins": N_("Save the opt-ins of customers who just wrote"),
        "name": N_("Name"),
        "content": N_("Message"),
        "due_at": N_("Scheduled start"),
        "best_before": N_("Send until"),
        "first_part": N_("Send to a few customers first?"),
    },
    _words,
)
