"""The dialog that moves a scheduled broadcast to another time."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.broadcasts import actions
from core.broadcasts.calendar_queries import CalendarEntry, list_scheduled
from core.broadcasts.draft_rules import check_times
from core.broadcasts.draft_warnings import warn_hour
from core.broadcasts.dry_run_queries import dry_run
from core.broadcasts.holidays import holidays_between
from core.broadcasts.queries import get_broadcast
from core.clock import local_to_utc, utc_now
from core.errors import NotFound
from core.fanpages.queries import get_fanpage
from pages.broadcasts.people_typed import ask_number, typed_number
from pages.components.block_editor.fields import draw_problems, draw_warnings
from pages.components.calendar_grid import MOVABLE, local_day
from pages.components.dialogs import close_dialog, dialog, is_open, open_dialog, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.session import Current
from pages.components.texts import _, language, when

KEY, WHICH = "broadcast_move", "moving"


def draw_move_dialog(here: Current, fanpage_id: int) -> None:
    """Opens for the broadcast that the address names, and stays until it is done."""
    asked = st.query_params.get("move", "")
    if asked:
        st.query_params.pop("move")
        st.session_state[WHICH] = int(asked) if asked.isdecimal() else 0
        open_dialog(KEY)
    entry = _entry(fanpage_id, st.session_state.get(WHICH, 0)) if is_open(KEY) else None
    if entry is None:
        if is_open(KEY):
            close_dialog(KEY)
            st.toast(_("This broadcast can't be moved (any more)."), icon=":material/error:")
        return
    dialog(KEY, _("Move to another time"), lambda: _body(here, fanpage_id, entry), width="medium")


def _entry(fanpage_id: int, broadcast_id: int) -> CalendarEntry | None:
    try:
        view = get_broadcast(broadcast_id)
    except NotFound:
        return None
    if view.fanpage_id != fanpage_id or view.state not in MOVABLE or view.due_at is None:
        return None
    return CalendarEntry(
        view.id, view.name, view.topic_id, view.topic, view.state, view.due_at, view.best_before, view.version
    )


def _body(here: Current, fanpage_id: int, entry: CalendarEntry) -> None:
    was = entry.at.astimezone(ZoneInfo(here.zone)).replace(tzinfo=None, second=0, microsecond=0)
    planned = _("Scheduled for {when}", when=when(entry.at))
    st.markdown(f"**{escape_markdown(entry.name)}** · {escape_markdown(entry.topic)}  \n{planned}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input(
            _("Day"), was.date(), key=f"move_day_{entry.id}", format=_("YYYY-MM-DD"), width=180
        )
        at = st.time_input(
            _("Time"), was.time(), key=f"move_time_{entry.id}", step=timedelta(minutes=5), width=140
        )
    if day is None or at is None:
        return
    start = local_to_utc(datetime.combine(day, at), here.zone)
    late = entry.best_before + (start - entry.at) if entry.best_before else None
    problems = check_times(start, late, utc_now())
    draw_problems(problems)
    _hints(here.zone, fanpage_id, entry, start)
    ask_number(get_fanpage(fanpage_id).launch_rules, _people(entry, start))
    if late:
        st.caption(_("Its send-by time moves with it: {when}.", when=when(late)))
    with st.container(key="move_buttons", horizontal=True, horizontal_alignment="right"):
        st.button(_("Go back"), key="move_keep", on_click=close_dialog, args=(KEY,))
        st.button(
            _("Move it"),
            key="move_confirm",
            type="primary",
            disabled=bool(problems) or start == entry.at.replace(second=0, microsecond=0),
            on_click=run_and_close,
            args=(KEY, lambda: _move(here, entry, start, late), _("Moved to {when}.", when=when(start))),
        )


def _hints(zone: str, fanpage_id: int, entry: CalendarEntry, start: datetime) -> None:
    """What speaks against that time; none of it forbids anything."""
    draw_warnings(warn_hour(start.astimezone(ZoneInfo(zone))))
    day = local_day(start, zone)
    if free := holidays_between(day, day, language()).get(day):
        st.info(_("That day is a holiday: {name}.", name=free), icon=":material/celebration:")
    others = [
        each
        for each in list_scheduled(fanpage_id)
        if each.topic_id == entry.topic_id and each.id != entry.id and each.at <= start
    ]
    if others:
        words = _(
            "“{name}” on the same topic starts earlier and uses the opt-ins first.",
            name=escape_markdown(others[-1].name),
        )
        st.warning(words, icon=":material/event_repeat:")


def _move(here: Current, entry: CalendarEntry, start: datetime, late: datetime | None) -> None:
    count, version = typed_number(), entry.version
    actions.schedule(
        here.actor, entry.id, at=start, best_before=late, version=version, typed_count=count, now=utc_now()
    )


def _people(entry: CalendarEntry, start: datetime) -> int:
    return dry_run(entry.topic_id, get_broadcast(entry.id).filters, now=start).eligible
