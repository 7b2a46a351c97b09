"""Publishing a message: what stands against it, what deserves a question first, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.rules import Actor
from core.clock import utc_now
from core.conversation.draft_actions import publish_message
from core.conversation.version_queries import is_led_to_from_outside
from core.conversation.versions import Draft
from core.errors import N_, Problem, problem
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.fields import draw_problems
from pages.components.dialogs import confirm, open_dialog
from pages.components.markdown import escape_markdown
from pages.components.session import do, flash
from pages.components.texts import _
from pages.messages.composer.status_bar import look_for_first

_SILENT = "publish_silent"


def warn_silent(draft: Draft, led_from: Sequence[str]) -> list[Problem]:
    """Says that nothing leads to a message that has no entry point; a translation needs none."""
    if draft.translation_of_id or led_from or is_led_to_from_outside(draft.id, now=utc_now()):
        return []
    return [
        problem("entry_points", N_("This message has no entry point yet: the chatbot sends it to nobody."))
    ]


def ask_to_publish(
    actor: Actor, fields: drafts.Draft, draft: Draft, problems: Sequence[Problem], led_from: Sequence[str]
) -> None:
    """What the Publish button does, once everything is saved."""
    if problems:
        look_for_first(fields, problems)
        st.rerun()
    if not draft.entry_points and warn_silent(draft, led_from):
        open_dialog(_SILENT)
        return
    if do(lambda: _publish(actor, draft)) is not None:
        st.rerun()


def draw_question(actor: Actor, draft: Draft) -> None:
    """Asks before publishing what nobody would ever see; shows itself once it was asked for."""
    confirm(
        _SILENT,
        _("“{name}” has no entry point yet", name=escape_markdown(draft.name)),
        _(
            "It has no keyword, link or other entry point, and no button leads to it: the chatbot "
            "will send it to nobody. Choose below when the chatbot sends it, or publish it so that "
            "a button can lead to it."
        ),
        _("Publish anyway"),
        lambda: _publish(actor, draft, is_silent=True),
    )


def draw_refusal(fields: drafts.Draft, problems: Sequence[Problem]) -> None:
    """Says, once publishing was tried, that it was refused, with what no field below says itself."""
    if not fields["tried"] or not problems:
        return
    st.error(_("Not published: the lines in red say what is missing."), icon=":material/error:")
    draw_problems([one for one in problems if one.field.endswith((".buttons", ".topic", "language"))])


def _publish(actor: Actor, draft: Draft, *, is_silent: bool = False) -> int:
    number = publish_message(actor, draft.id, version=draft.version, now=utc_now())
    if is_silent:
        flash(_("Published as version {n}. It has no entry point yet.", n=number))
    else:
        flash(_("Published as version {n}. The chatbot uses it from now on.", n=number))
    return number
