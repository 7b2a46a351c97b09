"""A topic in numbers: who can be notified, who must be asked again, how far it has come."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.topic_queries import TopicProgress
from core.consent.queries import TopicView
from pages.components import page_registry
from pages.components.counted_at import draw_counted
from pages.components.layout import Card, cards, section
from pages.components.tables import Badge, Column, table
from pages.components.texts import _, n_, number


def draw_after_a_broadcast(topic: TopicView, progress: TopicProgress) -> None:
    """An opt-in is good for one notification: say so, and say how to ask again."""
    if not progress.need_asking or topic.archived_at:
        return
    with st.container(key="topic_again", border=True):
        people = n_(
            "**{n} customer has had their one notification about this topic.**",
            "**{n} customers have had their one notification about this topic.**",
            progress.need_asking,
        )
        st.markdown(f":material/history_toggle_off: {people}")
        st.markdown(
            _(
                "They are left out of every further broadcast until they agree again: each opt-in "
                "allows one notification. To ask them again, send them a message with this topic's "
                "request (OTNR) once more, for example the next time they write to you."
            )
        )
        if progress.messages:
            for message in progress.messages:
                page_registry.link("message", message.name, icon=":material/forum:", id=message.id)
        else:
            page_registry.link(
                "message", _("Insert the OTNR into a message"), icon=":material/forum:", topic=topic.id
            )


def draw_figures(topic: TopicView) -> None:
    """How many may be notified now, are reserved, were notified, or end soon."""
    shown = [
        Card(
            _("Can be notified now"),
            number(topic.people),
            _("Customers who agreed and have not been notified since. {n} opt-ins available.").format(
                n=number(topic.available)
            ),
        ),
        Card(
            _("On hold for broadcasts"),
            number(topic.reserved),
            _("Opt-ins on hold for a broadcast that is being sent."),
        ),
        Card(
            _("Used"),
            number(topic.spent),
            _("Opt-ins whose one notification has been sent. They can't be used again."),
        ),
        Card(
            _("Ending soon"),
            number(topic.expiring_30_days),
            _("Opt-ins that end within 30 days: each is valid for one year."),
        ),
    ]
    cards(shown)
    draw_counted(topic.counted_at)
    _others(topic)


def _others(topic: TopicView) -> None:
    others = [
        (_("Customers who can't be reached"), topic.unreachable),
        (_("Expired"), topic.expired),
        (_("Withdrawn"), topic.withdrawn),
        (_("Refused by Messenger"), topic.refused),
    ]
    words = " · ".join(f"{word}: {number(count)}" for word, count in others if count)
    if topic.total:
        with st.container(horizontal=True, vertical_alignment="center"):
            page_registry.link(
                "opt_ins", _("See the opt-ins"), icon=":material/notifications_active:", topic=topic.id
            )
            if words:
                st.caption(words, width="content")


def draw_history(progress: TopicProgress) -> None:
    """Draws the latest broadcasts of a topic."""
    if progress.broadcasts:
        section(_("Latest broadcasts"))
        columns = [
            Column(_("Broadcast"), lambda b: b.name, "40%"),
            Column(_("State"), lambda b: Badge("broadcast", b.state)),
            Column(_("Recipients"), lambda b: b.audience),
            Column(_("Started"), lambda b: b.started_at),
        ]
        table(columns, progress.broadcasts, key="topic_broadcasts", on_click=lambda b: f"broadcast?id={b.id}")
