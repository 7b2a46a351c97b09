"""The form of a video."""

from __future__ import annotations

from core.errors import N_
from pages.components.block_editor.forms.form import BlockForm
from pages.components.block_editor.forms.media import address_form

_HINT = N_("Messenger loads the video from this address: it must be public (MP4) and no larger than 25 MB.")

FORM = BlockForm(
    N_("Video"), "movie", address_form(N_("Web address of the video"), "https://…/video.mp4", _HINT)
)
