"""Two people, or two tabs, changed the same field of a draft: both values side by side, and a choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.broadcasts.drafts import Draft
from core.clock import utc_now
from core.consent.queries import get_topic
from core.errors import N_
from pages.components.broadcast_words import best_before_word, size_word
from pages.components.session import attempt, flash
from pages.components.texts import _, changes_text, when

_MINE = "broadcast_mine"  # {"id", "values": {field: what was written here}}
_LABELS = {
    "topic_id": N_("OTN topic"),
    "name": N_("Name"),
    "content": N_("Message"),
    "due_at": N_("Planned start"),
    "best_before": N_("Best before"),
    "first_part": N_("Send to a few first?"),
}


def put_aside(broadcast_id: int, values: dict[str, Any]) -> None:
    """Keeps what was written in this tab until somebody has chosen."""
    st.session_state[_MINE] = {"id": broadcast_id, "values": {**_values_of(broadcast_id), **values}}


def fields_of(broadcast_id: int) -> set[str]:
    """The fields of a draft about which somebody still has to choose."""
    return set(_values_of(broadcast_id))


def draw(draft: Draft, keep_mine: Callable[[dict[str, Any]], None]) -> None:
    """Shows itself on every step until somebody has chosen; the draft itself says what the other wrote."""
    mine = _values_of(draft.id)
    if not mine:
        return
    theirs = [change for change in draft.changes if change.field in mine]
    with st.container(key="draft_conflict", border=True):
        st.warning(
            _(
                "You and somebody else changed the same thing: {changes}. Theirs is saved; yours is only on "
                "this page until you choose, and reloading the page loses it.",
                changes=changes_text(theirs),
            ),
            icon=":material/call_split:",
        )
        for field, value in mine.items():
            _side_by_side(field, value, getattr(draft, field))
        with st.container(key="conflict_ways", horizontal=True):
            st.button(_("Take theirs"), key="conflict_theirs", on_click=_forget)
            st.button(_("Keep mine"), key="conflict_mine", on_click=_choose, args=(keep_mine, mine))


def _side_by_side(field: str, mine: object, theirs: object) -> None:
    here, there = st.columns(2)
    for column, whose, value in ((here, _("Yours"), mine), (there, _("Theirs"), theirs)):
        column.caption(f"{_(_LABELS[field])} · {whose}")
        column.text(_words(field, value))


def _words(field: str, value: Any) -> str:
    match field:
        case "topic_id":
            return get_topic(value, now=utc_now()).name
        case "content":
            buttons = [f"[{button.get('title', '')}]" for button in value.get("buttons", [])]
            return "\n".join([value.get("text") or value.get("url") or "–", *buttons])
        case "due_at":
            return when(value) if value else _("As soon as it is launched")
        case "best_before":
            return best_before_word(value)
        case "first_part":
            return size_word(value)
    return str(value)


def _choose(keep_mine: Callable[[dict[str, Any]], None], mine: dict[str, Any]) -> None:
    error, _done = attempt(lambda: keep_mine(mine))
    if error:
        flash(error, icon=":material/error:")
        return
    _forget()
    flash(_("Yours is saved."))


def _forget() -> None:
    st.session_state.pop(_MINE, None)


def _values_of(broadcast_id: int) -> dict[str, Any]:
    held = st.session_state.get(_MINE)
    return held["values"] if held is not None and held["id"] == broadcast_id else {}
