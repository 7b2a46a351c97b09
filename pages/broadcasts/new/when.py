"""Step 3, when: now or at a time of the fanpage's clock, and until when it may still be sent."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.broadcasts.draft_rules import USUAL, USUAL_SPAN, BestBefore, check_times
from core.broadcasts.draft_warnings import warn_hour
from core.broadcasts.drafts import Draft
from core.clock import local_to_utc, utc_now
from core.errors import N_
from core.fanpages.queries import FanpageView
from pages.broadcasts.canary import choose_first_part
from pages.broadcasts.new import saving
from pages.broadcasts.new.approval import say_quiet_time
from pages.broadcasts.new.times import draw_times
from pages.components.block_editor.fields import draw_problems, draw_warnings
from pages.components.chosen import keep_chosen
from pages.components.session import Current, flash
from pages.components.texts import _, when

STARTS = {"now": N_("As soon as you launch it"), "later": N_("At a time you choose")}
ENDS = {
    "usual": N_("Until 12 hours after the start"),
    "chosen": N_("Until a time you choose"),
    "never": N_("No limit"),
}
_USUAL_HOUR = time(9, 0)


def draw(here: Current, draft: Draft, fanpage: FanpageView) -> None:
    """The start, the best-before and the first part, beside what they mean; saved in the same run."""
    zone = fanpage.timezone
    _mind_zone(draft, zone)
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        shown = saving.shown(draft)
        due_at = _start(shown, zone)
        best_before = _best_before(shown, due_at, zone)
        first_part = choose_first_part(shown)
        kept = saving.save(here, draft, due_at=due_at, best_before=best_before, first_part=first_part)
    if saving.is_left():
        return
    now = utc_now()
    with left:
        draw_problems(check_times(kept.due_at, kept.best_before_at(now), now))
        draw_warnings(warn_hour((kept.due_at or now).astimezone(ZoneInfo(zone))))
        say_quiet_time(kept, fanpage, now)
    with right:
        draw_times(kept, zone, now)


def _mind_zone(draft: Draft, zone: str) -> None:
    """What the fields show is of the zone they were filled in: read in another one it is another moment."""
    key = f"broadcast_{draft.id}"
    if st.session_state.setdefault(f"{key}_zone", zone) != zone:
        st.session_state[f"{key}_zone"] = zone
        for field in ("day", "time", "late_day", "late_time"):
            st.session_state.pop(f"{key}_{field}", None)  # filled anew from what is kept
        flash(
            _("The fanpage now uses the time zone {zone}; times are shown in it.", zone=zone),
            icon=":material/sync:",
        )


def _start(draft: Draft, zone: str) -> datetime | None:
    key = f"broadcast_{draft.id}"
    saving.fill(f"{key}_start", "later" if draft.due_at else "now")
    chosen = st.radio(
        _("When does it start?"),
        list(STARTS),
        key=keep_chosen(f"{key}_start"),
        format_func=lambda start: _(STARTS[start]),
    )
    if chosen == "now":
        return None
    tomorrow = utc_now().astimezone(ZoneInfo(zone)) + timedelta(days=1)
    usual = datetime.combine(tomorrow.date(), _USUAL_HOUR)
    due_at = _moment(key, draft.due_at, usual, zone)
    return due_at or draft.due_at


def _best_before(draft: Draft, due_at: datetime | None, zone: str) -> BestBefore:
    key, kept = f"broadcast_{draft.id}_late", draft.best_before
    moment = kept if isinstance(kept, datetime) else None
    saving.fill(key, "chosen" if moment else "usual" if kept else "never")
    chosen = st.selectbox(
        _("How long may it still be sent?"),
        list(ENDS),
        key=keep_chosen(key),
        format_func=lambda end: _(ENDS[end]),
        help=_(
            "If something delays the broadcast, nothing is sent after this time: late news can be "
            "worse than none."
        ),
    )
    if chosen != "chosen":
        return USUAL if chosen == "usual" else None
    usual = ((due_at or utc_now()) + USUAL_SPAN).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return _moment(key, moment, usual.replace(minute=usual.minute // 5 * 5), zone) or kept


def _moment(key: str, kept: datetime | None, usual: datetime, zone: str) -> datetime | None:
    """A day and a time of the fanpage's clock, beginning with what is kept; None while one is missing."""
    seen = kept.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if kept else usual
    seen = seen.replace(second=0, microsecond=0)
    saving.fill(f"{key}_day", seen.date())
    saving.fill(f"{key}_time", seen.time())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input(
            _("Day"),
            key=f"{key}_day",
            format=_("YYYY-MM-DD"),
            width=180,
        )
        at = st.time_input(_("Time"), key=f"{key}_time", step=timedelta(minutes=5), width=140)
        st.caption(_zone_words(zone, day, at), width="content")
    if day is None or at is None:
        return None
    wished = datetime.combine(day, at)
    return kept if kept and wished == seen else _real(wished, zone)  # to look at it is no change


def _real(wished: datetime, zone: str) -> datetime:
    moment = local_to_utc(wished, zone)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wished:
        words = _(
            "The clocks change on that day and skip that time, so {when} is used.", when=when(moment, zone)
        )
        st.info(words, icon=":material/schedule:")
    return moment


def _zone_words(zone: str, day: object, at: object) -> str:
    """ "Asia/Ho_Chi_Minh (UTC+7)": whose clock it is, with the distance on that very day."""
    moment = datetime.combine(day, at) if day and at else utc_now().replace(tzinfo=None)  # type: ignore[arg-type]
    minutes = int((ZoneInfo(zone).utcoffset(moment) or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    distance = f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"
    return _("Fanpage time: {zone} ({distance})", zone=zone.replace("_", " "), distance=distance)
