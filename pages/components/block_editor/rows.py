"""Buttons and quick replies: a line each, what it says and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bound, chosen, counter
from pages.components.texts import _


@dataclass(frozen=True)
class Around:
    """What blocks may refer to, and whether this reader may change them."""

    topics: Mapping[int, str]
    messages: Mapping[int, str]
    locked: bool


def edit_row(block: Block, place: int, around: Around, targets: Mapping[int | str, str], limit: int) -> None:
    row = block["rows"][place]
    key = f"row_{row['uid']}"
    with st.container(key=f"{key}_line", horizontal=True, vertical_alignment="center", gap="small"):
        bound(
            st.text_input,
            row,
            "title",
            _("What the button says"),
            f"{key}_title",
            disabled=around.locked,
            placeholder=_("What the button says"),
            label_visibility="collapsed",
            live=True,
        )
        if 0 in targets and row["message_id"] is None:
            row["message_id"] = 0
        chosen(
            row,
            "message_id",
            _("Leads to"),
            f"{key}_target",
            targets,
            disabled=around.locked,
            placeholder=_("Leads to which message?"),
            label_visibility="collapsed",
        )
        stuck = around.locked or len(block["rows"]) == 1
        small_button(f"{key}_remove", "close", _("Remove"), stuck, drafts.remove_row, (block, place))
    counter(row["title"], limit, only_near=True)


def add_row(block: Block, around: Around, limit: int, label: str) -> None:
    if len(block["rows"]) < limit and not around.locked:
        st.button(
            label,
            key=f"block_{block['uid']}_row_add",
            icon=":material/add:",
            type="tertiary",
            on_click=drafts.add_row,
            args=(block,),
        )


def small_button(
    key: str, sign: str, label: str, disabled: bool, change: Callable[..., None], args: tuple[object, ...]
) -> None:
    st.button(
        label,
        key=key,
        icon=f":material/{sign}:",
        help=label,
        type="tertiary",
        disabled=disabled,
        on_click=change,
        args=args,
    )
