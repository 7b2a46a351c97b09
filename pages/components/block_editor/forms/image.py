"""The form of a picture."""

from __future__ import annotations

import streamlit as st

from core.errors import N_
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bound
from pages.components.block_editor.forms.form import Around, BlockForm
from pages.components.texts import _


def _edit(block: Block, around: Around) -> None:
    bound(
        st.text_input,
        block,
        "url",
        _("Web address of the picture"),
        f"block_{block['uid']}_url",
        disabled=around.locked,
        placeholder="https://…/anh.jpg",
        help=_("Messenger fetches the picture from this address: it must be public (JPG, PNG or GIF)."),
        live=True,
    )


FORM = BlockForm(N_("Image"), "image", _edit)
