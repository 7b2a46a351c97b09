"""What the last broadcast achieved, beside the ones before it."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.result_queries import EARLIER, ResultView, average, latest_results
from core.broadcasts.results import Result
from core.errors import N_
from pages.components import page_registry
from pages.components.layout import Card, cards, section
from pages.components.markdown import escape_markdown
from pages.components.texts import _, n_, number, percent, when

_SHOWN = {
    Result.READ: N_("Read"),
    Result.CLICKED: N_("Clicked a link"),
    Result.REPLIED: N_("Replied within 24 hours"),
    Result.BLOCKED: N_("Unreachable since then"),
}


def draw_last(fanpage_id: int) -> None:
    """Shares of those whom it was sent to, and how far they are from those of the ones before."""
    results = [each for each in latest_results(fanpage_id) if each.count(Result.SENT)]
    if not results:
        return
    last, earlier = results[0], results[1:]
    section(_("How did the last broadcast do compared with earlier ones?"))
    words = _("{name} · started {when}", name=escape_markdown(last.name), when=when(last.started_at))
    page_registry.link("broadcast", words, icon=":material/campaign:", id=last.broadcast_id)
    sent = Card(_("Sent"), number(last.count(Result.SENT)))
    cards([sent, *(_card(last, earlier, result) for result in _SHOWN)])
    if earlier:
        before = n_(
            "Share of those it was sent to; below, the change from the broadcast before.",
            "Share of those it was sent to; below, the change from the {n} broadcasts before.",
            min(len(earlier), EARLIER),
        )
        counted = _("As of {when}.", when=when(last.counted_at))
        st.caption(f"{before} {counted}")
    page_registry.link("broadcasts", _("All broadcasts"), icon=":material/arrow_forward:")


def _card(last: ResultView, earlier: list[ResultView], result: Result) -> Card:
    share, usual = last.share(result) or 0.0, average(earlier, result)
    delta = None if usual is None else _points(share - usual)
    return Card(
        _(_SHOWN[result]),
        percent(share),
        n_("{n} customer", "{n} customers", last.count(result)),
        delta,
        lower_is_better=result == Result.BLOCKED,
    )


def _points(distance: float) -> str:
    points = round(distance * 100, 1)
    if not points:
        return _("no change")
    return _("{sign}{points} points", sign="+" if points > 0 else "-", points=number(abs(points)))
