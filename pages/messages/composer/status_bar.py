"""The bar that stays in sight over a message: its state, how much is missing and where, undo, publish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from core.accounts.rules import Actor
from core.clock import utc_now
from core.conversation.rules import check_name
from core.conversation.versions import Draft
from core.errors import Problem
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.undo import draw_undo
from pages.components.draft_conflict import fields_of
from pages.components.texts import _, ago, n_, who
from pages.messages.composer import conflict
from pages.messages.composer.saving import is_refused

_LATELY = timedelta(minutes=15)  # so long ago, somebody may still be at it
_LOOK_FOR = "message_look_for"


def draw_bar(actor: Actor, fields: drafts.Draft, draft: Draft | None, problems: Sequence[Problem]) -> bool:
    """True when publishing was asked for."""
    with st.container(key="composer_bar", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="composer_state", horizontal=True, vertical_alignment="center", gap="small"):
            _state(draft)
            st.caption(_saved(actor, fields, draft))
        draw_undo(fields, "message")
        if draft is not None and problems:
            words = n_("{n} thing is missing", "{n} things are missing", len(problems))
            st.button(
                words,
                key="message_problems",
                icon=":material/error:",
                type="tertiary",
                help=_("Go to the first"),
                on_click=look_for_first,
                args=(fields, problems),
            )
        return st.button(
            _("Publish"),
            key="message_publish",
            icon=":material/publish:",
            type="primary",
            disabled=draft is None or (bool(draft.published) and not draft.has_changes),
            on_click=show_problems,
            args=(fields,),
        )


def show_problems(fields: drafts.Draft) -> None:
    """From now on every field says what is wrong with it."""
    fields["tried"] = True


def lead_to_first(fields: drafts.Draft, problems: Sequence[Problem]) -> None:
    """Scrolls to where the first thing is missing, in the run after it was asked for."""
    if st.session_state.pop(_LOOK_FOR, False) and problems:
        place = _card_of(fields, problems[0])
        st.html(f'<span class="otn-goto" data-otn-key="{place}"></span>')


def look_for_first(fields: drafts.Draft, problems: Sequence[Problem]) -> None:
    """In the next run every field says what is wrong with it, and the page scrolls to the first."""
    show_problems(fields)
    st.session_state[_LOOK_FOR] = True
    match problems[0].field.split("."):
        case ["blocks", block, "cards", card, *_]:
            fields["blocks"][int(block)][drafts.CARD_TO_OPEN] = int(card)


def _card_of(fields: drafts.Draft, one: Problem) -> str:
    """The key of the container in which a problem is to be put right."""
    where, *rest = one.field.split(".")
    if where == "blocks" and rest:
        block = fields["blocks"][int(rest[0])]
        if rest[1:2] == ["cards"] and rest[2:]:
            return f"row_{block['cards'][int(rest[2])]['uid']}_card"
        return f"block_{block['uid']}_card"
    return {"name": "message_called", "blocks": "block_add", "language": "message_languages"}.get(
        where, "entry_card"
    )


def _state(draft: Draft | None) -> None:
    if draft is None:
        st.badge(_("New"), icon=":material/edit_note:", color="gray")
    elif not draft.published:
        st.badge(
            _("Draft"), icon=":material/edit_note:", color="gray", help=_("The chatbot does not send it.")
        )
    elif draft.has_changes:
        told = _("The chatbot sends version {n} until you publish.", n=draft.published)
        st.badge(_("Unpublished changes"), icon=":material/edit:", color="orange", help=told)
    else:
        words = _("Published, version {n}", n=draft.published)
        st.badge(words, icon=":material/check_circle:", color="green")


def _saved(actor: Actor, fields: drafts.Draft, draft: Draft | None) -> str:
    if is_refused(fields) or (draft and fields_of(conflict.KIND, draft.id)):
        return _("Not saved")
    if draft is None:
        return _("Saved as a draft as soon as you write")
    if fields["name"] != draft.name and check_name(fields["name"]):
        return _("All saved but the name")
    others = [change for change in draft.changes if change.by != actor.name]
    if others and utc_now() - others[-1].at < _LATELY:
        return _("{who} is also writing here: {when}", who=who(others[-1].by), when=ago(others[-1].at))
    return _("Everything is saved")
