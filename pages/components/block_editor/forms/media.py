"""The forms of what Messenger fetches from a web address: a video, a file."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_input
from pages.components.block_editor.forms.form import EditorContext
from pages.components.texts import _


def address_form(label: str, example: str, hint: str) -> Callable[[Block, EditorContext], None]:
    """A form that asks for one address; its three sentences are translated when it is drawn."""

    def edit(block: Block, context: EditorContext) -> None:
        bind_input(
            st.text_input,
            block,
            "url",
            _(label),
            f"block_{block['uid']}_url",
            disabled=context.locked,
            placeholder=example,
            help=_(hint),
            live=True,
        )

    return edit
