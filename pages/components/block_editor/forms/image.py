"""The form of a picture."""

from __future__ import annotations

from core.errors import N_
from pages.components.block_editor.draft import Block
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.block_editor.forms.picture import edit_picture


def _edit(block: Block, context: EditorContext) -> None:
    edit_picture(block, "url", f"block_{block['uid']}", context)


FORM = BlockForm(N_("Image"), "image", _edit)
