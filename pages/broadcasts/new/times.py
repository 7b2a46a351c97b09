"""What the times chosen for a draft mean."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.broadcasts.draft_rules import USUAL
from core.broadcasts.drafts import Draft
from pages.components.texts import _, n_, when


def _explain_first_part(size: int) -> None:
    words = n_(
        "The first {n} goes out first; if all goes well, the rest follows automatically.",
        "The first {n} go out first; if all goes well, the rest follow automatically.",
        size,
    )
    st.markdown(f":material/flag: {words}")


def _draw_in_own_zone(at: datetime, zone: str) -> None:
    """For who works in another zone than the fanpage's: the same moment by the clock of their browser."""
    own = st.context.timezone
    if own and at.astimezone(ZoneInfo(own)).utcoffset() != at.astimezone(ZoneInfo(zone)).utcoffset():
        st.caption(_("Your time ({zone}): {when}", zone=own.replace("_", " "), when=when(at, own)))


def draw_times(draft: Draft, zone: str, now: datetime) -> None:
    """When it starts, whom that includes, and what happens after the best-before."""
    best_before = draft.best_before_at(now)
    with st.container(key="broadcast_once", border=True):
        if draft.due_at is None:
            st.markdown(f":material/send: **{_('Starts when you launch it')}**")
        else:
            st.markdown(f":material/schedule: **{_('Starts {when}', when=when(draft.due_at, zone))}**")
            _draw_in_own_zone(draft.due_at, zone)
            st.markdown(
                _("Who gets it is decided at that moment: everyone who agrees before then is included.")
            )
        if draft.first_part:
            _explain_first_part(draft.first_part)
        if best_before is None:
            st.markdown(_("There is no send-by time: it is sent whenever that becomes possible."))
            return
        st.markdown(f":material/timer_off: **{_('Send until {when}', when=when(best_before, zone))}**")
        if draft.best_before == USUAL:
            st.markdown(
                _(
                    "Nobody has chosen this: by default it is 12 hours after the start, and final once you "
                    "launch."
                )
            )
        st.markdown(
            _(
                "Anyone who hasn't got it by then won't get it, and keeps the opt-in. If it "
                "couldn't start at all, it counts as missed and you decide what happens."
            )
        )
