"""A broadcast while it goes out: what goes wrong, bar, rate, time left, closing balance and reasons.

It redraws itself. All of its numbers are of one moment, since one read brings them.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape

import streamlit as st

from core.broadcasts.queries import BroadcastView, get_broadcast
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.deliveries.rules import DELIVERY_STATES, ENDED, DeliveryState
from pages.broadcasts.detail.totals import draw_balance, draw_reasons
from pages.broadcasts.detail.unknown_notice import draw_doubt
from pages.components.failing import draw_failing
from pages.components.session import current
from pages.components.texts import _, duration, n_, number, percent, state_label

Stage = tuple[str, bool, tuple[int, ...]]
LIVE = (BroadcastState.SCHEDULED, BroadcastState.SENDING, BroadcastState.PAUSED)
_SOONEST, _LATEST = 3, 30  # seconds from one look to the next
_PER_SECOND = 5_000  # deliveries: ten viewers then take about a twentieth of a core
_SAMPLES_FOR = _LATEST + 5.0  # seconds over which the pace is measured


def draw_live(view: BroadcastView) -> None:
    """Draws the numbers anew while something may still change; a new state redraws the whole page."""
    still_moves = view.state in LIVE or view.counts[DeliveryState.SENDING] or not view.is_complete
    every = _interval(view) if still_moves else None
    fresh = [view]  # the first time it draws what the rest of the page shows

    def draw(broadcast_id: int, drawn: Stage) -> None:
        _draw(fresh.pop() if fresh else get_broadcast(broadcast_id), drawn)

    # A fragment redraws itself alone, so that what somebody types elsewhere on the page is left in peace.
    st.fragment(draw, run_every=every)(view.id, _stage(view))


def _stage(view: BroadcastView) -> Stage:
    """When it changes, the whole page is redrawn: notes outside of the fragment speak of it, and while it is
    paused they have its numbers."""
    counts = tuple(view.counts.values()) if view.state == BroadcastState.PAUSED else ()
    return view.state, view.is_complete, counts


def _interval(view: BroadcastView) -> timedelta:
    """The more deliveries there are to count, the more rarely they are counted."""
    return timedelta(seconds=min(_LATEST, max(_SOONEST, view.audience // _PER_SECOND)))


def _draw(view: BroadcastView, drawn: Stage) -> None:
    current()  # a session that ended elsewhere sees no more numbers
    if _stage(view) != drawn:
        st.rerun(scope="app")  # the whole page: buttons and notes outside of the fragment change, too
    draw_doubt(view)
    if view.started_at:
        draw_failing(view.failing, view.state, view.pause_code)
        _progress(view)
        draw_balance(view)
        draw_reasons(view)


def _progress(view: BroadcastView) -> None:
    ended = sum(view.counts[state] for state in ENDED)
    done = _("{done} of {people} done", done=number(ended), people=number(view.audience))
    words = f"<b>{escape(done)}</b><span class='otn-quiet'>{escape(_pace(view, ended))}</span>"
    parts = "".join(_part(str(state), view.counts[state]) for state in _ORDER if view.counts[state])
    label = escape(done)
    st.html(
        f'<div class="otn-bar-words">{words}</div>'
        f'<div class="otn-bar" role="img" aria-label="{label}">{parts}</div>'
    )


_ORDER = [state for state in DELIVERY_STATES if state in ENDED] + [
    state for state in reversed(DELIVERY_STATES) if state not in ENDED
]


def _part(state: str, people: int) -> str:
    word, _icon, colour = state_label("delivery", state)
    later = " otn-later" if state == DeliveryState.QUEUED else ""
    title = escape(f"{word}: {number(people)}")
    return f'<span class="otn-{colour}{later}" style="flex:{people} 1 0" title="{title}"></span>'


def _pace(view: BroadcastView, ended: int) -> str:
    left = view.audience - ended
    if view.state == BroadcastState.PAUSED:
        return n_("{n} is waiting", "{n} are waiting", left) if left else ""
    if view.state != BroadcastState.SENDING or not left:
        return _took(view)
    measured = _measured(view.id, ended)
    rate = measured or float(view.rate)
    time = duration(max(1.0, left / rate))
    if not measured:
        return _("about {time} left", time=time)
    return _("{rate} per second, about {time} left", rate=number(round(measured, 1)), time=time)


def _took(view: BroadcastView) -> str:
    if not (view.started_at and view.finished_at):
        return ""
    seconds = (view.finished_at - view.started_at).total_seconds()
    reached = percent(view.counts[DeliveryState.SENT] / view.attempts) if view.attempts else ""
    took = _("took {time}", time=duration(max(1.0, seconds)))
    return _("{share} of attempts succeeded, {took}", share=reached, took=took) if reached else took


def _measured(broadcast_id: int, ended: int) -> float:
    """Deliveries a second over the last looks at this broadcast; 0 before there were two."""
    samples: dict[int, list[tuple[float, int]]] = st.session_state.setdefault("broadcast_pace", {})
    now = utc_now().timestamp()
    kept = [sample for sample in samples.get(broadcast_id, []) if now - sample[0] <= _SAMPLES_FOR]
    samples[broadcast_id] = kept = [*kept, (now, ended)][-30:]
    passed = now - kept[0][0]
    return (ended - kept[0][1]) / passed if passed >= 1 else 0.0
