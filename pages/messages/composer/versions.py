"""Earlier versions of a message: to be read on the phone, and to be written on from."""

from __future__ import annotations

import streamlit as st

from core.conversation.entry_kinds.registry import COMPOSED
from core.conversation.preview import bubbles_of_blocks
from core.conversation.preview_thread import in_wording
from core.conversation.version_queries import VersionView, list_versions
from core.conversation.versions import Draft
from core.conversation.wording_tests import has_two_wordings
from core.fanpages.pictures import picture_of
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.preview import choose_variant
from pages.components.dialogs import close_dialog, dialog
from pages.components.markdown import escape_markdown
from pages.components.phone import draw_phone
from pages.components.session import flash
from pages.components.texts import _, language, when, who
from pages.messages.composer import saving

KEY = "message_versions"


def draw_versions(fields: drafts.Draft, draft: Draft, *, page_name: str, locked: bool) -> None:
    """Shows itself once `open_dialog(KEY)` was called."""
    dialog(
        KEY,
        _("Versions of “{name}”", name=escape_markdown(draft.name)),
        lambda: _body(fields, draft, page_name, locked),
    )


def _body(fields: drafts.Draft, draft: Draft, page_name: str, locked: bool) -> None:
    versions = {version.number: version for version in list_versions(draft.id)}
    st.caption(_("Each time you publish, what the chatbot sends is kept here."))
    number = st.selectbox(
        _("Version"),
        list(versions),
        key="message_version",
        format_func=lambda one: _label(versions[one]),
    )
    version = versions[number]
    is_tested = any(has_two_wordings(block.content) for block in version.blocks)
    blocks = in_wording(choose_variant(KEY) if is_tested else "a", version.blocks)
    bubbles = bubbles_of_blocks(blocks, first_name="Lan", tapped=False)
    dark = st.context.theme.type == "dark"
    picture = picture_of(draft.fanpage_id)
    draw_phone(bubbles, language=language(), dark=dark, page_name=page_name, picture=picture, tall=380)
    st.caption(_("Entry points: {what}", what=_starters(version)))
    if not locked:
        st.button(
            _("Continue from this version"),
            key="message_version_restore",
            icon=":material/restore:",
            type="primary",
            on_click=_restore,
            args=(fields, version),
            help=_("It replaces the draft. The chatbot sends it once you publish."),
        )


def _label(version: VersionView) -> str:
    by = f" · {who(version.published_by)}" if version.published_by else ""
    return f"{version.number} · {when(version.published_at)}{by}"


def _starters(version: VersionView) -> str:
    said = [_(COMPOSED[entry.kind].listed, value=entry.value) for entry in version.entry_points]
    return ", ".join(said) or _("only reached by buttons")


def _restore(fields: drafts.Draft, version: VersionView) -> None:
    saving.replace_all(fields, version.blocks, version.entry_points)
    close_dialog(KEY)
    flash(_("Version {n} is now the draft. “Undo” brings back what you had written.", n=version.number))
