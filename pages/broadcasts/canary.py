"""The first part of a broadcast: a few go ahead, and what becomes of them decides about the rest."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts import canary
from core.broadcasts.canary import USUAL_SIZE
from core.broadcasts.dashboard_queries import FirstPart
from core.broadcasts.drafts import Draft
from core.broadcasts.queries import BroadcastView
from core.broadcasts.rules import CANARY_FAILED, BroadcastState
from core.clock import utc_now
from pages.broadcasts.new import saving
from pages.components.broadcast_words import size_word, still_growing
from pages.components.chosen import keep_chosen
from pages.components.dialogs import confirm, open_dialog
from pages.components.session import Current
from pages.components.texts import _, n_, number

SIZES = (20, USUAL_SIZE, 100, 500)


def choose_first_part(draft: Draft) -> int:
    """How many go ahead; 0 for none."""
    key = f"broadcast_{draft.id}_first"
    options = sorted({0, *SIZES, draft.first_part})
    saving.fill(key, draft.first_part)
    return st.selectbox(
        _("Send to a few customers first?"),
        options,
        key=keep_chosen(key),
        format_func=size_word,
        help=_(
            "Used opt-ins can't be recovered. If too many of the first few fail or have blocked "
            "the fanpage, the broadcast pauses before it uses up the others."
        ),
    )


def draw_first_part(here: Current, view: BroadcastView, part: FirstPart | None) -> None:
    """What there is to say of it while the rest waits."""
    if part is None or not part.waits:
        return
    if view.state == BroadcastState.SENDING:
        _ahead(here, view, part)
    elif view.state == BroadcastState.PAUSED and view.pause_code == CANARY_FAILED:
        _went_badly(part)


def _ahead(here: Current, view: BroadcastView, part: FirstPart) -> None:
    words = n_(
        "**The first {n} goes out first.** The rest follows automatically if all goes well.",
        "**The first {n} go out first.** The rest follow automatically if all goes well.",
        part.size,
    )
    st.info(words, icon=":material/flag:")
    if not here.actor.may(Permission.SEND):
        return
    st.button(
        _("Send the rest now…"),
        key="broadcast_release",
        icon=":material/fast_forward:",
        on_click=open_dialog,
        args=("broadcast_release",),
    )
    body = n_(
        "**{n} opt-in will be used and can't be taken back**, without waiting for the first few.",
        "**{n} opt-ins will be used and can't be taken back**, without waiting for the first few.",
        view.audience - part.size,
    )
    confirm(
        "broadcast_release",
        _("Send the rest now?"),
        f"{body}\n\n{still_growing(view)}",
        _("Send the rest"),
        lambda: canary.let_rest_go(here.actor, view.id, now=utc_now()),
        done=_("Sending continues."),
    )


def _went_badly(part: FirstPart) -> None:
    words = _(
        "**Paused automatically after the first {size}:** {failed} failed, and {blocked} have "
        "blocked the fanpage. Nobody else has got it yet. Look at the reasons below: resume if "
        "they don't worry you, or cancel, and the others keep their opt-ins.",
        size=number(part.size),
        failed=number(part.failed),
        blocked=number(part.blocked),
    )
    st.error(words, icon=":material/flag:")
