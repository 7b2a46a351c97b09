"""The dialog that changes a fanpage's time zone and asks what becomes of the broadcasts that are planned."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st

from core.clock import utc_now
from core.errors import N_
from core.fanpages import time_zone
from core.fanpages.queries import FanpageView
from core.fanpages.time_zone import PlannedBroadcast, ZoneChangeKeeps
from pages.components.dialogs import dialog, run_and_close
from pages.components.layout import badge_markdown
from pages.components.markdown import escape_markdown
from pages.components.session import current, flash
from pages.components.texts import _, when

KEY = "fanpage_zone"
CHOICES = {
    ZoneChangeKeeps.MOMENT: N_("The moment: everything starts when it would have started"),
    ZoneChangeKeeps.LOCAL_TIME: N_(
        "The local time: everything starts when the new clock shows the same time"
    ),
}


def draw_zone_dialog(fanpage: FanpageView) -> None:
    """Shows the dialog if it is open."""
    dialog(KEY, _("Time zone"), lambda: _draw(fanpage), width="medium")


def choose_zone(zone: str, key: str) -> str:
    """The choice of a zone; the one in use is chosen to begin with."""
    known = sorted(available_timezones())
    return st.selectbox(_("Time zone"), known, index=known.index(zone) if zone in known else 0, key=key)


def _draw(fanpage: FanpageView) -> None:
    zone = choose_zone(fanpage.timezone, f"{KEY}_value")
    planned = time_zone.list_planned(fanpage.id, zone) if zone != fanpage.timezone else []
    keep = _ask(fanpage, zone, planned) if planned else None
    with st.container(key=f"{KEY}_buttons", horizontal=True, horizontal_alignment="right"):
        st.button(
            _("Change the time zone"),
            key=f"{KEY}_submit",
            type="primary",
            disabled=zone == fanpage.timezone,
            on_click=run_and_close,
            args=(KEY, lambda: _change(fanpage, zone, keep)),
        )


def _ask(fanpage: FanpageView, zone: str, planned: list[PlannedBroadcast]) -> ZoneChangeKeeps:
    st.markdown(_("These broadcasts are scheduled. What should they keep?"))
    keep: ZoneChangeKeeps = st.radio(
        _("What they keep"),
        list(CHOICES),
        key=f"{KEY}_keep",
        format_func=lambda choice: _(CHOICES[choice]),
        label_visibility="collapsed",
    )
    for each in planned:
        starts = each.due_at if keep == ZoneChangeKeeps.MOMENT else each.moved_due_at
        words = _("now {old}, then {new}", old=when(each.due_at, fanpage.timezone), new=when(starts, zone))
        st.markdown(f"**{escape_markdown(each.name)}** {badge_markdown('broadcast', each.state)}  \n{words}")
    if keep == ZoneChangeKeeps.LOCAL_TIME:
        st.caption(_("Their send-by times move with them."))
    return keep


def _change(fanpage: FanpageView, zone: str, keep: ZoneChangeKeeps | None) -> None:
    time_zone.change_zone(current().actor, fanpage.id, zone, keep=keep, now=utc_now())
    flash(_("{name} now uses the time zone {zone}.", name=escape_markdown(fanpage.name), zone=zone))
