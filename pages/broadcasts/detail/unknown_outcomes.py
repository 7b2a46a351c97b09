"""The outcomes that nobody knows: the evidence of each, and the ways to settle it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.delivery_queries import DeliveryView
from core.broadcasts.queries import BroadcastView
from core.deliveries.attempts import attempts_of
from core.deliveries.rules import DeliveryState
from pages.broadcasts.detail.evidence import draw_evidence
from pages.broadcasts.detail.settling import draw_dialogs, draw_open_buttons
from pages.components import page_registry
from pages.components.session import Current
from pages.components.texts import _
from pages.components.unknown_outcomes import draw_link_to_unknown


def draw_settle_buttons(here: Current, view: BroadcastView) -> None:
    """Beside the note: look at each, or settle them all at once."""
    if not view.counts[DeliveryState.UNKNOWN]:
        return
    with st.container(key="doubts", horizontal=True, vertical_alignment="center"):
        if here.actor.may(Permission.SEND):
            draw_open_buttons("broadcast", view.counts[DeliveryState.UNKNOWN])
        draw_link_to_unknown(view.id, _("See the evidence of each"))
    if here.actor.may(Permission.SEND):
        draw_dialogs(here, view, "broadcast")


def draw_unknown_outcomes(
    here: Current, view: BroadcastView, rows: Sequence[DeliveryView], *, whole: bool
) -> None:
    """`whole`: no other filter is on, so that "all" means what the list shows."""
    may = here.actor.may(Permission.SEND)
    st.info(
        _(
            "The surest way to know: open the conversation in the fanpage's inbox on Facebook. If the "
            "message is there, count it as sent; if not, try again."
        ),
        icon=":material/forum:",
    )
    if not may:
        st.caption(_("Only a sender or an admin can decide these: ask one of them."))
    elif whole and view.counts[DeliveryState.UNKNOWN] > 1:
        with st.container(key="unknown_all", horizontal=True):
            draw_open_buttons("unknown", view.counts[DeliveryState.UNKNOWN])
    attempts = attempts_of([row.id for row in rows])
    for row in rows:
        with st.container(key=f"doubt_{row.id}", border=True):
            who, why, ways = st.columns([1, 1.9, 0.8], gap="medium")
            with who.container(gap="xxsmall"):
                _who(row)
            with why.container(gap="xsmall"):
                draw_evidence(view, row, attempts.get(row.id, []))
            if may:
                with ways.container(gap="xsmall"):
                    _buttons_of_one(here, view, row)


def _who(row: DeliveryView) -> None:
    if row.customer_id is None:
        st.text(_("Erased customer"))
    else:
        name = row.customer or _("Name not known yet")
        page_registry.link("customer", name, icon=":material/person:", id=row.customer_id)
        st.caption(row.psid)
    st.caption(_("Promise"))
    st.text(row.promise or _("Not recorded"))


def _buttons_of_one(here: Current, view: BroadcastView, row: DeliveryView) -> None:
    draw_open_buttons(f"doubt_{row.id}")
    draw_dialogs(here, view, f"doubt_{row.id}", row)
