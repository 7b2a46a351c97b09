"""The field of a picture: a block of its own, or the picture of a card."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.block_editor.fields import bind_input
from pages.components.block_editor.forms.form import EditorContext
from pages.components.texts import _


def edit_picture(holder: dict[str, Any], field: str, key: str, context: EditorContext) -> None:
    """`key` is of the block or row whose picture it is."""
    bind_input(
        st.text_input,
        holder,
        field,
        _("Web address of the picture"),
        f"{key}_{field}",
        disabled=context.locked,
        placeholder="https://…/anh.jpg",
        help=_("Messenger fetches the picture from this address: it must be public (JPG, PNG or GIF)."),
        live=True,
    )
