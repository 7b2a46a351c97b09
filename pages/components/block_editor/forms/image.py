"""The form of a picture."""

from __future__ import annotations

import streamlit as st

from core.errors import N_
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_input
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    bind_input(
        st.text_input,
        block,
        "url",
        _("Web address of the picture"),
        f"block_{block['uid']}_url",
        disabled=context.locked,
        placeholder="https://…/anh.jpg",
        help=_("Messenger fetches the picture from this address: it must be public (JPG, PNG or GIF)."),
        live=True,
    )


FORM = BlockForm(N_("Image"), "image", _edit)
