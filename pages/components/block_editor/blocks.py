"""The blocks of a message, each in a card with its fields; +OTNR asks "notify me?" about a topic."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.conversation.blocks.registry import KINDS
from core.conversation.rules import check_block, warn_message
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Block, Draft
from pages.components.block_editor.fields import draw_problems, draw_warnings, small_button
from pages.components.block_editor.forms.form import EditorContext
from pages.components.block_editor.forms.registry import FORMS
from pages.components.texts import _


def edit_blocks(draft: Draft, context: EditorContext) -> None:
    """Draws every block in its card. The draft holds what was typed once this returns."""
    for place, block in enumerate(draft["blocks"]):
        with st.container(key=f"block_{block['uid']}_card", border=True, gap="small"):
            _card_head(draft, place, block, context.locked)
            edit_block(block, context)
            _say(draft, place, context.topics)


def edit_block(block: Block, context: EditorContext) -> None:
    """The fields of a single block without its card, for pages that write just one."""
    FORMS[block["kind"]].edit(block, context)


def kind_in_broadcast(kind: str) -> str:
    """What a kind of block is called where a broadcast is written."""
    form = FORMS[kind]
    return _(form.broadcast_word or form.word)


def add_buttons(draft: Draft) -> None:
    with st.container(key="block_add", horizontal=True, gap="small"):
        for kind in KINDS:
            st.button(
                _(FORMS[kind].word),
                key=f"block_add_{kind}",
                icon=":material/add:",
                on_click=drafts.add_block,
                args=(draft, kind),
            )


def _card_head(draft: Draft, place: int, block: Block, locked: bool) -> None:
    form = FORMS[block["kind"]]
    key, last = f"block_{block['uid']}", len(draft["blocks"]) - 1
    with st.container(key=f"{key}_head", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/{form.icon}: **{_(form.heading or form.word)}**", width="stretch")
        with st.container(key=f"{key}_tools", horizontal=True, width="content", gap="small"):
            for name, sign, label, stuck, step in (
                ("up", "arrow_upward", _("Move up"), place == 0, -1),
                ("down", "arrow_downward", _("Move down"), place == last, 1),
            ):
                args = (draft, place, step)
                small_button(f"{key}_{name}", sign, label, locked or stuck, drafts.move_block, args)
            small_button(
                f"{key}_copy", "content_copy", _("Duplicate"), locked, drafts.copy_block, (draft, place)
            )
            _insert_below(draft, place, key, locked)
            gone = (drafts.remove_block, (draft, place))
            small_button(f"{key}_remove", "delete", _("Remove"), locked, *gone)


def _insert_below(draft: Draft, place: int, key: str, locked: bool) -> None:
    """A menu of the kinds, for a block between this one and the next."""
    words = {kind: _(FORMS[kind].word) for kind in KINDS}
    st.menu_button(
        _("Insert below"),
        list(words),
        key=f"{key}_insert",
        icon=":material/add_row_below:",
        help=_("Insert a block below this one"),
        type="tertiary",
        disabled=locked,
        format_func=words.__getitem__,
        on_click=_insert,
        args=(draft, place + 1, f"{key}_insert"),
    )


def _insert(draft: Draft, place: int, key: str) -> None:
    drafts.add_block(draft, st.session_state[key], place=place)


def _say(draft: Draft, place: int, topics: Mapping[int, str]) -> None:
    """Advice as soon as there is something to advise on; complaints only once saving was tried."""
    blocks = drafts.blocks_of(draft)
    block = blocks[place]
    if draft["tried"]:
        draw_problems(check_block(block.kind, block.content, topic_id=block.topic_id))
    warnings = warn_message(blocks, topics)
    draw_warnings([one for one in warnings if one.field.startswith(f"blocks.{place}.")])
