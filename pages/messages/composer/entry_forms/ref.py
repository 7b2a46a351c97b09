"""The links that open the chat and start the message, each with its QR code."""

from __future__ import annotations

import streamlit as st

from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_kinds.ref import link_address
from core.conversation.entry_points import check_entry_points
from pages.components.block_editor.draft import Draft, entries_of
from pages.components.markdown import escape_markdown
from pages.components.qr_code import qr_png, qr_svg
from pages.components.texts import _
from pages.messages.composer.entry_forms.form import EntryContext, EntryForm, draw_words


class RefForm(EntryForm):
    name = EntryKind.REF

    def draw(self, draft: Draft, key: str, context: EntryContext) -> None:
        draw_words(
            draft,
            "refs",
            _("They open your link or scan your QR code; name of the link"),
            key,
            context,
            placeholder=_("Tet 2027"),
            help=_("Any name will do; characters that can't be part of a link are left out of it."),
        )
        for entry in entries_of(draft):
            if entry.kind == self.name and not check_entry_points([entry]):
                draw_link(context.page_id, entry.value, context.caption)


def draw_link(page_id: str, ref: str, caption: str) -> None:
    """A link with its QR code, both to take away."""
    address = link_address(page_id, ref)
    with st.container(key=f"link_{ref}", horizontal=True, vertical_alignment="center", gap="medium"):
        st.image(qr_png(address), width=116, alt=_("QR code of the link"))
        with st.container(key=f"link_{ref}_words", gap="small"):
            st.code(address, language=None, wrap_lines=True)
            with st.container(key=f"link_{ref}_downloads", horizontal=True, gap="small"):
                _download(ref, "png", qr_png(address, caption), "image/png")
                _download(ref, "svg", qr_svg(address, caption), "image/svg+xml")
    if caption:
        st.caption(_("The QR code to print has “{caption}” below it.", caption=escape_markdown(caption)))


def _download(ref: str, ending: str, content: bytes, kind: str) -> None:
    st.download_button(
        _("QR code as {kind}", kind=ending.upper()),
        content,
        f"{ref}.{ending}",
        kind,
        key=f"link_{ref}_download_{ending}",
        icon=":material/qr_code_2:",
        on_click="ignore",
    )
