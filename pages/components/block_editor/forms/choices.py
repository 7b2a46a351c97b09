"""Buttons and quick replies: a line each, what it says and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.conversation.payloads import STOP_ALL, STOP_PAYLOAD
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bound, chosen, counter, small_button
from pages.components.block_editor.forms.form import Around
from pages.components.texts import _

Choice = dict[str, Any]
Target = int | str  # a message's id, what a button stops (as its payload says it), or OPENS_ADDRESS
OPENS_ADDRESS = 0


def edit_choice(
    choices: list[Choice], place: int, around: Around, targets: Mapping[Target, str], limit: int
) -> None:
    """`targets` are the places that the choice may lead to, in words; `limit` is of its title."""
    choice = choices[place]
    key = f"row_{choice['uid']}"
    with st.container(key=f"{key}_line", horizontal=True, vertical_alignment="center", gap="small"):
        bound(
            st.text_input,
            choice,
            "title",
            _("What the button says"),
            f"{key}_title",
            disabled=around.locked,
            placeholder=_("What the button says"),
            label_visibility="collapsed",
            live=True,
        )
        _edit_target(choice, around, targets)
        stuck = around.locked or len(choices) == 1
        small_button(f"{key}_remove", "close", _("Remove"), stuck, drafts.remove_choice, (choices, place))
    counter(choice["title"], limit, only_near=True)


def add_choice(block: Block, field: str, around: Around, limit: int, label: str) -> None:
    """The button that appends an empty choice, while there are fewer than the limit."""
    if len(block[field]) < limit and not around.locked:
        st.button(
            label,
            key=f"block_{block['uid']}_row_add",
            icon=":material/add:",
            type="tertiary",
            on_click=drafts.add_choice,
            args=(block[field],),
        )


def _edit_target(choice: Choice, around: Around, targets: Mapping[Target, str]) -> None:
    """One selectbox for what the choice keeps in two fields: `message_id` and `stop`."""
    default = OPENS_ADDRESS if OPENS_ADDRESS in targets else None
    holder = {"target": _target_of(choice) or default}
    chosen(
        holder,
        "target",
        _("Leads to"),
        f"row_{choice['uid']}_target",
        targets,
        disabled=around.locked,
        placeholder=_("Leads to which message?"),
        label_visibility="collapsed",
    )
    target = holder["target"]
    choice["stop"] = _stopped(target) if isinstance(target, str) else None
    choice["message_id"] = None if isinstance(target, str) else target or None


def _target_of(choice: Choice) -> Target | None:
    return f"{STOP_PAYLOAD}{choice['stop']}" if choice.get("stop") else choice.get("message_id")


def _stopped(payload: str) -> Target:
    wanted = payload.removeprefix(STOP_PAYLOAD)
    return wanted if wanted == STOP_ALL else int(wanted)
