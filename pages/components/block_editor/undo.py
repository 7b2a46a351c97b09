"""Undo for what was taken out of a draft, and for what replaced all of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import N_
from pages.components.block_editor.typed import lists_in, typed_words
from pages.components.texts import _

_STACK = "removed_items"  # {"from": the list, "place", "item"} or {"from": the draft, "all": what it said}
_NOT_SAID = ("kept", "tried")  # what a page remembers of a draft beside what it says
_DEEPEST = 20
_BLOCK, _CHOICE, _ALL = N_("A block was removed."), N_("A button was removed."), N_("All of it was replaced.")


def take_out(items: list[dict[str, Any]], place: int) -> None:
    """Removes an item of a list, a block or one of its buttons, and remembers it with what was typed."""
    item = items.pop(place)
    typed_words(item)
    _push({"from": items, "place": place, "item": item, "words": _BLOCK if "kind" in item else _CHOICE})


def remember_all(draft: dict[str, Any]) -> None:
    """Remembers the whole draft, which is about to be replaced."""
    for block in draft["blocks"]:
        typed_words(block)
    said = {name: value for name, value in draft.items() if name not in _NOT_SAID}
    _push({"from": draft, "all": said, "words": _ALL})


def draw_undo(draft: dict[str, Any], key: str) -> None:
    """The way back from the last removal, as long as there is still the place that it was removed from."""
    last = _last(draft)
    if last is not None:
        what = last["words"]
        st.button(
            _("Undo"),
            key=f"{key}_undo",
            icon=":material/undo:",
            type="tertiary",
            help=_(what),
            on_click=_put_back,
            args=(last,),
        )


def _push(step: dict[str, Any]) -> None:
    stack = st.session_state.setdefault(_STACK, [])
    stack.append(step)
    del stack[:-_DEEPEST]


def _last(draft: dict[str, Any]) -> dict[str, Any] | None:
    places = [draft, draft["blocks"], *(listed for block in draft["blocks"] for listed in lists_in(block))]
    stack = st.session_state.get(_STACK, [])
    return next((step for step in reversed(stack) if any(step["from"] is place for place in places)), None)


def _put_back(step: dict[str, Any]) -> None:
    stack = st.session_state[_STACK]
    stack[:] = [each for each in stack if each is not step]
    if "all" in step:
        step["from"].update(step["all"])
    else:
        step["from"].insert(step["place"], step["item"])
