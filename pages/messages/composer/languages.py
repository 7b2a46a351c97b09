"""In which languages a message exists: going from one to another, and adding one."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Actor
from core.clock import utc_now
from core.conversation.translation_actions import add_translation
from core.conversation.translation_queries import list_languages
from core.conversation.translations import LANGUAGES
from core.conversation.versions import Draft
from pages.components.session import attempt, flash
from pages.components.texts import _
from pages.messages.entry_points.locale_names import locale_name


def draw_languages(actor: Actor, draft: Draft, *, locked: bool) -> None:
    """Where the message has one language only: who reads it, and the way to add another."""
    views = list_languages(draft)
    if locked and len(views) == 1:
        return
    names = {
        view.message_id: locale_name(view.language) if view.language else _("All other customers")
        for view in views
    }
    with st.container(key="message_languages", horizontal=True, vertical_alignment="center", gap="small"):
        if len(views) > 1:
            key = f"message_language_{draft.id}"
            st.segmented_control(
                _("Language"),
                list(names),
                default=draft.id if draft.id in names else None,
                required=draft.id in names,
                key=key,
                format_func=names.__getitem__,
                label_visibility="collapsed",
                on_change=lambda: _go_to(st.session_state[key]),
            )
        else:
            st.caption(_("All customers get this text, whatever their language."), width="content")
        if not locked:
            _draw_adding(actor, views[0].message_id, {view.language for view in views})
    if draft.language:
        st.caption(
            _(
                "Customers whose Messenger is in this language get this once it is published; the "
                "entry points stay the same. Facebook only shares the language with fanpages it "
                "has approved for that (“locale”); customers whose language is unknown get the "
                "text for all others."
            )
        )


def _draw_adding(actor: Actor, original: int, known: set[str | None]) -> None:
    with st.popover(_("Add a language"), icon=":material/translate:", type="tertiary"):
        st.caption(
            _("A draft with the same blocks, ready to be translated. Nobody gets it before you publish it.")
        )
        for code in LANGUAGES:
            if code not in known:
                st.button(
                    locale_name(code),
                    key=f"message_language_add_{code}",
                    type="tertiary",
                    on_click=_add,
                    args=(actor, original, code),
                )


def _add(actor: Actor, original: int, code: str) -> None:
    error, made = attempt(lambda: add_translation(actor, original, code, now=utc_now()))
    if made is None:
        flash(error or "", icon=":material/error:")
    else:
        _go_to(made)


def _go_to(message_id: int) -> None:
    st.query_params.from_dict({"id": str(message_id)})
