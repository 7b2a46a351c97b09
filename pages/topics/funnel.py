"""How far a topic's requests lead, as a chart and taken apart; and which of two wordings does better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import streamlit as st
from babel.dates import format_date

from core.clock import today_in
from core.consent.queries import TopicView
from core.errors import N_
from core.funnel.counting import FIGURES
from core.funnel.queries import Figures, Funnel, Part, topic_funnel, wording_tests
from core.funnel.rules import ENOUGH, Half, Split, Verdict, WordingTest
from pages.components.charts import BLUE, GREEN, Bar, Point, draw_bars, draw_columns
from pages.components.filters import filter_pills
from pages.components.layout import section
from pages.components.markdown import escape_markdown
from pages.components.opt_in_words import entry_words
from pages.components.tables import Column, Two, table
from pages.components.texts import _, language, n_, number, percent, when

FIGURE_WORDS = {
    "asked": N_("Asked"),
    "seen": N_("Seen"),
    "tapped": N_("Tapped “Notify Me”"),
    "notified": N_("Notified"),
    "read": N_("Read"),
    "clicked": N_("Clicked a link"),
}
_SPLITS = {Split.WORDING: N_("By wording"), Split.ENTRY_POINT: N_("By entry point"), Split.DAY: N_("By day")}
_DAYS = {"7": N_("7 days"), "30": N_("30 days"), "90": N_("90 days")}
SHOWN = 20
MOST_DAYS = 62


def draw_funnel(topic: TopicView, zone: str) -> None:
    """Bars on one base, and the same by wording, entry point or day."""
    total = topic_funnel(topic.id)
    if not total.total.asked:
        _nothing_yet(total, topic)
        return
    with st.container(key="funnel_filters", horizontal=True, vertical_alignment="center"):
        days = filter_pills(
            "funnel_days", {key: _(word) for key, word in _DAYS.items()}, label=_("Asked in the last")
        )
        by = filter_pills("funnel_by", {str(key): _(word) for key, word in _SPLITS.items()}, label=_("Show"))
    since = (today_in(zone) - timedelta(days=int(days) - 1)).isoformat() if days else None
    funnel = topic_funnel(topic.id, split=Split(by or ""), since=since)
    if not funnel.total.asked:
        st.info(_("Nobody was asked during that time."))
        return
    _bars(funnel.total)
    _base(total, topic)
    if by == Split.DAY:
        _days(funnel.parts)
    elif by:
        _parts(funnel.parts, Split(by))


def _nothing_yet(funnel: Funnel, topic: TopicView) -> None:
    if topic.total and funnel.counted_at:
        section(_("How many of the customers asked agree, and read?"))
        _imported(funnel, topic)


def _bars(figures: Figures) -> None:
    bars = [Bar(_(FIGURE_WORDS[name]), getattr(figures, name)) for name in FIGURES]
    question = _("How many of the customers asked agree, and read?")
    draw_bars(question, bars, whole=figures.asked, what=_("Step"), unit=_("Requests"), key="funnel")


def _base(funnel: Funnel, topic: TopicView) -> None:
    words = _(
        "Every bar is a share of the same requests: of those asked, how many reached this step. As "
        "of {when}.",
        when=when(funnel.counted_at),
    )
    st.caption(words)
    _imported(funnel, topic)


def _imported(funnel: Funnel, topic: TopicView) -> None:
    """Why these numbers are smaller than those of the opt-ins."""
    others = topic.total - funnel.total.tapped
    if others > 0:
        st.caption(
            n_(
                "{n} of the topic's {total} opt-ins is not included: it did not come from a "
                "chatbot request (it was imported, or came from an earlier tool).",
                "{n} of the topic's {total} opt-ins are not included: they did not come from a "
                "chatbot request (they were imported, or came from an earlier tool).",
                others,
                total=number(topic.total),
            )
        )


def _days(parts: Sequence[Part]) -> None:
    """A column for each day; over a longer time for each week, called by its Monday."""
    names = [_(FIGURE_WORDS[name]) for name in ("asked", "tapped")]
    points = [
        Point(_day(day), series, value)
        for day, figures in by_time(parts)
        for series, value in zip(names, (figures.asked, figures.tapped), strict=True)
    ]
    question = _("On which days were customers asked, and how many agreed?")
    draw_columns(
        question,
        points,
        colours=dict(zip(names, (BLUE, GREEN), strict=True)),
        key="funnel_days",
        time=_("Day"),
    )


def by_time(parts: Sequence[Part]) -> list[tuple[date, Figures]]:
    """The figures of each day from the first to the last, also of days on which nobody was asked; of each
    week when there would be too many."""
    known = {date.fromisoformat(part.key[0]): part.figures for part in parts}
    first, last, step = min(known), max(known), timedelta(days=1)
    if (last - first).days >= MOST_DAYS:
        first, step = first - timedelta(days=first.weekday()), timedelta(days=7)
    found: dict[date, Figures] = {}
    for place in range((last - first) // step + 1):
        found[first + place * step] = Figures()
    for day, figures in known.items():
        start = first + (day - first) // step * step
        found[start] = found[start] + figures
    return list(found.items())


def _day(day: date) -> str:
    return str(format_date(day, _("d MMM"), locale=language()))


def _parts(parts: Sequence[Part], split: Split) -> None:
    titled = {
        Split.WORDING: (_("Which wording gets more opt-ins?"), _("Wording")),
        Split.ENTRY_POINT: (_("Which entry points do customers opt in through?"), _("Entry point")),
    }
    question, what = titled[split]
    section(question)
    columns = [Column(what, lambda part: _name(part, split), "30%")]
    columns += [Column(_(word), _cell(name)) for name, word in FIGURE_WORDS.items()]
    table(columns, parts[:SHOWN], key="funnel_parts")
    if len(parts) > SHOWN:
        st.caption(_("Only the {n} with the most requests are shown.", n=number(SHOWN)))


def _name(part: Part, split: Split) -> str:
    return entry_words(*part.key) if split == Split.ENTRY_POINT else part.key[0]


def _cell(name: str) -> Callable[[Part], object]:
    def said(part: Part) -> object:
        value = getattr(part.figures, name)
        return Two(number(value), percent(value / part.figures.asked)) if name != "asked" else value

    return said


def draw_wording_tests(topic: TopicView) -> None:
    """Draws each test of two wordings, and what may be said of it."""
    tests = wording_tests(topic.id)
    if not tests:
        return
    section(_("Which of the two wordings gets more opt-ins?"))
    for place, test in enumerate(tests[:3]):
        with st.container(key=f"wording_test_{place}", border=True):
            columns = [
                Column(_("Wording"), lambda half: Two(half[1].title, half[0]), "55%", wraps=True),
                Column(_("Customers asked"), lambda half: half[1].asked),
                Column(_("Agreed"), lambda half: half[1].tapped),
                Column(_("Share"), lambda half: percent(half[1].share)),
            ]
            table(columns, [("A", test.a), ("B", test.b)], key=f"wording_test_{place}")
            st.markdown(verdict_words(test))


def verdict_words(test: WordingTest) -> str:
    """What the test shows, and how sure that is, without a word of statistics."""
    low, high = test.difference
    match test.verdict:
        case Verdict.TOO_FEW:
            return ":material/hourglass_empty: " + _(
                "Too early to say: wait until at least {n} customers have been asked with each wording.",
                n=number(ENOUGH),
            )
        case Verdict.A_BETTER:
            return ":material/emoji_events: " + _better("A", test.a, -high, -low)
        case Verdict.B_BETTER:
            return ":material/emoji_events: " + _better("B", test.b, low, high)
    words = _(
        "No clear difference yet. For every 100 customers asked, B may bring anything from {fewer} "
        "fewer to {more} more opt-ins than A.",
        fewer=number(round(-low * 100)),
        more=number(round(high * 100)),
    )
    return f":material/balance: {words} {_more_needed(test)}"


def _better(name: str, half: Half, low: float, high: float) -> str:
    return _(
        "**{name} is better: “{title}”.** For every 100 customers asked, it most likely brings "
        "{low} to {high} more opt-ins than the other. You can end the test: keep this wording and "
        "delete the other.",
        name=name,
        title=escape_markdown(half.title),
        low=number(max(1, round(low * 100))),
        high=number(max(1, round(high * 100))),
    )


def _more_needed(test: WordingTest) -> str:
    needed = test.still_needed
    if not needed:
        return _("If it stays like this, either wording will do.")
    return n_(
        "To be sure of a difference this small, ask about {n} more customer with each wording.",
        "To be sure of a difference this small, ask about {n} more customers with each wording.",
        needed,
    )
