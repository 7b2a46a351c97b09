"""Buttons and quick replies: a line each, what it says and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.conversation.payloads import STOP_ALL, STOP_PAYLOAD
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_choice, bind_input, say_is_full, small_button
from pages.components.block_editor.forms.form import EditorContext
from pages.components.character_counter import show_counter
from pages.components.texts import _

Choice = dict[str, Any]
Target = int | str  # a message's id, or one of the words below
OPENS_ADDRESS = 0
CALLS = "call"
ASKS = "ask:"  # + what it asks for
ASKS_AGAIN = "again:"  # + the id of the topic
_NOWHERE: Choice = {"message_id": None, "stop": None, "phone": None, "asks": None, "asks_topic": None}


def edit_choice(
    choices: list[Choice],
    place: int,
    context: EditorContext,
    targets: Mapping[Target, str],
    limit: int,
    *,
    least: int = 1,
) -> None:
    """`targets` are the places that the choice may lead to, in words; `limit` is of its title. The list keeps
    `least` choices at least."""
    choice = choices[place]
    key = f"row_{choice['uid']}"
    with st.container(key=f"{key}_line", horizontal=True, vertical_alignment="top", gap="small"):
        with st.container(gap="xsmall"):
            bind_input(
                st.text_input,
                choice,
                "title",
                _("Button text"),
                f"{key}_title",
                disabled=context.locked or bool(choice.get("asks")),
                placeholder=_("Shown by Messenger") if choice.get("asks") else _("Button text"),
                label_visibility="collapsed",
                live=True,
            )
            show_counter(choice["title"], limit, only_near=True)
        _edit_target(choice, context, targets)
        stuck = context.locked or len(choices) <= least
        small_button(f"{key}_remove", "close", _("Remove"), stuck, drafts.remove_choice, (choices, place))


def add_choice(block: Block, field: str, context: EditorContext, limit: int, label: str) -> None:
    """The button that appends an empty choice, while there are fewer than the limit."""
    if context.locked:
        return
    if len(block[field]) >= limit:
        say_is_full(limit)
    else:
        st.button(
            label,
            key=f"block_{block['uid']}_row_add",
            icon=":material/add:",
            type="tertiary",
            on_click=drafts.add_choice,
            args=(block[field],),
        )


def _edit_target(choice: Choice, context: EditorContext, targets: Mapping[Target, str]) -> None:
    """One selectbox for what the choice keeps in several fields."""
    default = OPENS_ADDRESS if OPENS_ADDRESS in targets else None
    holder = {"target": _target_of(choice) or default}
    bind_choice(
        holder,
        "target",
        _("Leads to"),
        f"row_{choice['uid']}_target",
        targets,
        disabled=context.locked,
        placeholder=_("Which message does it lead to?"),
        label_visibility="collapsed",
    )
    choice |= _NOWHERE | _fields_of(holder["target"], choice)


def _target_of(choice: Choice) -> Target | None:
    if choice.get("phone") is not None:
        return CALLS
    if choice.get("asks"):
        return f"{ASKS}{choice['asks']}"
    if choice.get("asks_topic"):
        return f"{ASKS_AGAIN}{choice['asks_topic']}"
    return f"{STOP_PAYLOAD}{choice['stop']}" if choice.get("stop") else choice.get("message_id")


def _fields_of(target: Target | None, choice: Choice) -> Choice:
    if not isinstance(target, str):
        return {"message_id": target or None}
    if target == CALLS:
        return {"phone": choice.get("phone") or ""}
    if target.startswith(ASKS):
        return {"asks": target.removeprefix(ASKS)}
    if target.startswith(ASKS_AGAIN):
        return {"asks_topic": int(target.removeprefix(ASKS_AGAIN))}
    wanted = target.removeprefix(STOP_PAYLOAD)
    return {"stop": wanted if wanted == STOP_ALL else int(wanted)}
