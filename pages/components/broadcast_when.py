"""Step 3, when: now or at a time of the fanpage's clock, and until when it may still be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.broadcasts.drafting import check_times
from core.broadcasts.drafts import Draft, keep_draft
from core.broadcasts.wording import warn_hour
from core.clock import local_to_utc, utc_now
from core.errors import N_
from pages.components.broadcast_first import choose_first_part
from pages.components.broadcast_times import explain
from pages.components.composer.fields import advice, complaints
from pages.components.session import Current, do
from pages.components.texts import _, duration, language, when

SPANS = [timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 48, 168)]
STARTS = {"now": N_("As soon as it is launched"), "later": N_("At a time you choose")}
_USUAL_HOUR = time(9, 0)


def draw(here: Current, draft: Draft, zone: str) -> None:
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        due_at = _start(draft, zone)
        changed = replace(draft, due_at=due_at, span=_span(draft), first_part=choose_first_part(draft))
    if changed != draft:
        do(lambda: keep_draft(here.actor, changed, now=utc_now()))
    now = utc_now()
    with left:
        complaints(check_times(changed.due_at, changed.best_before(now), now))
        advice(warn_hour((changed.due_at or now).astimezone(ZoneInfo(zone))))
    with right:
        explain(changed, zone, now)


def _start(draft: Draft, zone: str) -> datetime | None:
    key = f"broadcast_{draft.id}"
    st.session_state.setdefault(f"{key}_start", "later" if draft.due_at else "now")
    chosen = st.radio(
        _("When does it start?"),
        list(STARTS),
        key=f"{key}_start",
        format_func=lambda start: _(STARTS[start]),
    )
    if chosen == "now":
        return None
    tomorrow = utc_now().astimezone(ZoneInfo(zone)) + timedelta(days=1)
    shown = draft.due_at.astimezone(ZoneInfo(zone)) if draft.due_at else None
    st.session_state.setdefault(f"{key}_day", shown.date() if shown else tomorrow.date())
    st.session_state.setdefault(f"{key}_time", shown.time() if shown else _USUAL_HOUR)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input(
            _("Day"),
            key=f"{key}_day",
            format="DD/MM/YYYY" if language() == "vi" else "YYYY-MM-DD",
            width=180,
        )
        at = st.time_input(_("Time"), key=f"{key}_time", step=timedelta(minutes=5), width=140)
        st.caption(_zone_words(zone, day, at), width="content")
    if day is None or at is None:
        return draft.due_at
    wished = datetime.combine(day, at)
    due_at = local_to_utc(wished, zone)
    if due_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wished:
        words = _("The clock skips that time on this day, so it starts at {when}.", when=when(due_at, zone))
        st.info(words, icon=":material/schedule:")
    return due_at


def _zone_words(zone: str, day: object, at: object) -> str:
    """ "Asia/Ho_Chi_Minh (UTC+7)": whose clock it is, with the distance on that very day."""
    moment = datetime.combine(day, at) if day and at else utc_now().replace(tzinfo=None)  # type: ignore[arg-type]
    minutes = int((ZoneInfo(zone).utcoffset(moment) or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    distance = f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"
    return _("The fanpage's clock: {zone} ({distance})", zone=zone.replace("_", " "), distance=distance)


def _span(draft: Draft) -> timedelta | None:
    key = f"broadcast_{draft.id}_span"
    options: list[timedelta | None] = [*SPANS, None]
    if draft.span not in options:
        options.insert(0, draft.span)
    st.session_state.setdefault(key, options.index(draft.span))
    place = st.selectbox(
        _("How long after the start may it still be sent?"),
        range(len(options)),
        key=key,
        format_func=lambda one: _span_word(options[one]),
        help=_("If something holds it up, late news is worse than none: after that nothing is sent."),
    )
    return options[place]


def _span_word(span: timedelta | None) -> str:
    return duration(span.total_seconds()) if span else _("Without limit")
