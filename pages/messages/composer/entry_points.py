"""What starts a message: the Get Started button, a customer's words, an m.me link with its QR code."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import segno
import streamlit as st

from core.conversation.rules import REF_PATTERN, KeywordMatch, check_entry_points, check_taken
from pages.components.block_editor.draft import Draft, entries_of, refs_of
from pages.components.block_editor.fields import bind_input, draw_problems
from pages.components.texts import _


@dataclass(frozen=True)
class Elsewhere:
    """What the rest of the fanpage has to do with a message: who owns which entry point, who leads here."""

    page_id: str
    owners: Mapping[tuple[str, str], str]
    led_from: Sequence[str]


def edit_entries(draft: Draft, elsewhere: Elsewhere, locked: bool) -> None:
    key = f"entry_{draft['uid']}"
    with st.container(key="entry_card", border=True):
        st.session_state.setdefault(f"{key}_start", draft["get_started"])
        draft["get_started"] = st.toggle(
            _("A new customer presses “Get Started”"), key=f"{key}_start", disabled=locked
        )
        _words(draft, key, KeywordMatch.CONTAINS, _("Their message contains the words"), locked)
        _words(draft, key, KeywordMatch.EXACT, _("Their message is exactly"), locked)
        bind_input(
            st.text_input,
            draft,
            "refs",
            _("They open your link or scan your QR code; name of the link"),
            f"{key}_refs",
            disabled=locked,
            placeholder="tet-2027",
            live=True,
        )
        for ref in refs_of(draft):
            _link(elsewhere.page_id, ref)
        if elsewhere.led_from:
            st.caption(
                _("Buttons of other messages also lead here: {names}", names=", ".join(elsewhere.led_from))
            )
        draw_problems(check_taken(entries_of(draft), elsewhere.owners))
        if draft["tried"]:
            draw_problems(check_entry_points(entries_of(draft)))


def address_of(page_id: str, ref: str) -> str:
    """The link that opens the chat and tells us its name (Messenger Platform, m.me links)."""
    return f"https://m.me/{page_id}?ref={ref}"


def qr_code(address: str) -> bytes:
    """A PNG large enough to print."""
    image = io.BytesIO()
    segno.make(address, error="m").save(image, kind="png", scale=16, border=3)
    return image.getvalue()


def _words(draft: Draft, key: str, match: KeywordMatch, label: str, locked: bool) -> None:
    bind_input(
        st.text_input,
        draft,
        match,
        label,
        f"{key}_{match}",
        disabled=locked,
        placeholder=_("price, sale, how much"),
        help=_("Commas stand between keywords. Case, punctuation and missing marks do not matter."),
        live=True,
    )


def _link(page_id: str, ref: str) -> None:
    if not REF_PATTERN.fullmatch(ref):
        return
    address = address_of(page_id, ref)
    code = qr_code(address)
    with st.container(key=f"link_{ref}", horizontal=True, vertical_alignment="center", gap="medium"):
        st.image(code, width=116)
        with st.container(key=f"link_{ref}_words", gap="small"):
            st.code(address, language=None, wrap_lines=True)
            st.download_button(
                _("Download the QR code"),
                code,
                f"{ref}.png",
                "image/png",
                key=f"link_{ref}_download",
                icon=":material/qr_code_2:",
                on_click="ignore",
            )
