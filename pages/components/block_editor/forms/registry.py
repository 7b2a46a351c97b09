"""The form of each kind of block. A new kind's form is a file of this folder and a line here."""

from __future__ import annotations

from pages.components.block_editor.forms import (
    buttons,
    card,
    carousel,
    file,
    image,
    otnr,
    quick_replies,
    text,
    video,
)
from pages.components.block_editor.forms.form import BlockForm

# By the names of core/conversation/blocks/registry.py, whose order the composer follows.
FORMS: dict[str, BlockForm] = {
    "text": text.FORM,
    "image": image.FORM,
    "card": card.FORM,
    "carousel": carousel.FORM,
    "buttons": buttons.FORM,
    "video": video.FORM,
    "file": file.FORM,
    "quick_replies": quick_replies.FORM,
    "otnr": otnr.FORM,
}
