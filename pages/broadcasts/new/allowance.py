"""How much of Messenger's 24-hour allowance is used, how much a broadcast adds, and what happens past it."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from core.broadcasts.list_queries import list_lines
from core.broadcasts.rules import BroadcastState
from core.sending.limits.allowance import Allowance, allowance_of
from pages.components.texts import _, number, percent

CLOSE = 0.8
_UNDER_WAY = (BroadcastState.SENDING, BroadcastState.PAUSED)


def draw_allowance(fanpage_id: int, adds: int, *, now: datetime) -> None:
    """`now`: when it starts; by then some of today's calls may no longer count."""
    allowance = allowance_of(fanpage_id, now=now)
    waiting = sum(line.audience - line.ended for line in list_lines(fanpage_id, states=_UNDER_WAY, limit=200))
    share = allowance.share(waiting + adds)
    with st.container(key="allowance", border=True, gap="small"):
        _bar(allowance, waiting, adds, share)
    if share > 1:
        words = _(
            "**This exceeds Messenger's allowance.** After {limit} messages within 24 hours "
            "sending waits, and continues automatically as soon as Messenger allows more. Nobody "
            "is lost; anyone it doesn't reach before the send-by time keeps the opt-in.",
            limit=number(allowance.limit),
        )
        st.error(words, icon=":material/hourglass_top:")
    elif share > CLOSE:
        words = _(
            "This comes close to Messenger's allowance. If answers and retries use up the rest, "
            "sending waits and then continues automatically."
        )
        st.warning(words, icon=":material/hourglass_top:")


def _bar(allowance: Allowance, waiting: int, adds: int, share: float) -> None:
    title = _("Messenger's 24-hour allowance")
    st.markdown(
        f"**{title}**",
        help=_(
            "In any 24 hours, Messenger allows a fanpage 200 messages for each person it can "
            "message. Answers to customers and retries count, too."
        ),
    )
    tone = "red" if share > 1 else "orange" if share > CLOSE else "blue"
    parts = [(_("Used"), allowance.used, "gray"), (_("Being sent"), waiting, "violet")]
    parts = [part for part in parts if part[1]] + [(_("This broadcast"), adds, tone)]
    total = _("{share} of it is used after this broadcast", share=percent(share))
    numbers = [*((word, messages) for word, messages, _tone in parts), (_("Allowance"), allowance.limit)]
    said = " · ".join(f"{word}: {number(messages)}" for word, messages in numbers)
    spans = "".join(
        f'<span class="otn-{colour}" style="flex:{messages} 1 0" title="{escape(word)}"></span>'
        for word, messages, colour in parts
        if messages
    )
    free = max(0, allowance.left - waiting - adds)
    rest = f'<span style="flex:{free} 1 0;background:none"></span>' if free else ""
    st.html(
        f'<div class="otn-bar" role="img" aria-label="{escape(total)}">{spans}{rest}</div>'
        f'<div class="otn-bar-words otn-below"><span class="otn-{tone} otn-inked">{escape(total)}</span>'
        f"<span class='otn-quiet'>{escape(said)}</span></div>"
    )
