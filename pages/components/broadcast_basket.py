"""The basket of outcomes in doubt: the evidence of each, and the ways to settle it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.overview import list_doubts
from core.broadcasts.queries import BroadcastView, DeliveryView
from core.deliveries.attempts import attempts_of
from pages.components import menu
from pages.components.broadcast_evidence import draw_evidence
from pages.components.broadcast_settling import draw_dialogs, draw_openers
from pages.components.broadcast_words import plain
from pages.components.session import Current
from pages.components.texts import _, n_

ANCHOR = "people"
ALERTS = 5


def draw_ways(here: Current, view: BroadcastView) -> None:
    """Beside the note: look at each, or settle them all at once."""
    if not view.counts["unknown"]:
        return
    with st.container(key="doubts", horizontal=True, vertical_alignment="center"):
        if here.actor.may(Permission.SEND):
            draw_openers("broadcast", view.counts["unknown"])
        link_to_basket(view.id, _("See the evidence of each"))
    if here.actor.may(Permission.SEND):
        draw_dialogs(here, view, "broadcast")


def link_to_basket(broadcast_id: int, label: str) -> None:
    """Down to the list itself, which lies below the fold: `menu.link` knows no place on a page."""
    href = f"broadcast?id={broadcast_id}&state=unknown#{ANCHOR}"
    icon = '<span class="otn-icon" aria-hidden="true">fact_check</span>'
    st.html(f'<a class="otn-go" href="{href}" target="_self">{icon}{escape(label)}</a>', width="content")


def draw_alerts_of_doubt(fanpage_id: int) -> None:
    """For the overview: every broadcast that waits for a decision, the oldest first."""
    doubts = list_doubts(fanpage_id)
    for doubt in doubts[:ALERTS]:
        with st.container(key=f"in_doubt_{doubt.broadcast_id}", horizontal=True, vertical_alignment="center"):
            words = n_(
                "{n} outcome of “{name}” stays in doubt: read the evidence and settle it.",
                "{n} outcomes of “{name}” stay in doubt: read the evidence and settle them.",
                doubt.people,
                name=plain(doubt.name),
            )
            st.warning(words, icon=":material/help:", width="stretch")
            link_to_basket(doubt.broadcast_id, _("See the evidence of each"))
    more = len(doubts) - ALERTS
    if more > 0:
        words = n_(
            "{n} more broadcast has outcomes in doubt.", "{n} more broadcasts have outcomes in doubt.", more
        )
        st.caption(words)


def draw_basket(here: Current, view: BroadcastView, rows: Sequence[DeliveryView], *, whole: bool) -> None:
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
        st.caption(_("Settling them takes the role of a sender."))
    elif whole and view.counts["unknown"] > 1:
        with st.container(key="basket_all", horizontal=True):
            draw_openers("basket", view.counts["unknown"])
    tries = attempts_of([row.id for row in rows])
    for row in rows:
        with st.container(key=f"doubt_{row.id}", border=True):
            who, why, ways = st.columns([1, 1.9, 0.8], gap="medium")
            with who.container(gap="xxsmall"):
                _who(row)
            with why.container(gap="xsmall"):
                draw_evidence(view, row, tries.get(row.id, []))
            if may:
                with ways.container(gap="xsmall"):
                    _ways_of_one(here, view, row)


def _who(row: DeliveryView) -> None:
    if row.customer_id is None:
        st.text(_("Erased customer"))
    else:
        name = plain(row.customer) or _("Name not known yet")
        menu.link("customer", name, icon=":material/person:", id=row.customer_id)
        st.caption(row.psid)
    st.caption(_("Promise"))
    st.text(row.promise or _("Not recorded"))


def _ways_of_one(here: Current, view: BroadcastView, row: DeliveryView) -> None:
    draw_openers(f"doubt_{row.id}")
    draw_dialogs(here, view, f"doubt_{row.id}", row)
