"""Who can be notified: opt-ins in stock by topic, and those that soon run out."""

from __future__ import annotations

from core.accounts.rules import Permission
from core.consent.queries import TopicView
from pages.components import page_registry
from pages.components.counted_at import draw_counted
from pages.components.layout import Card, cards, section
from pages.components.session import Current
from pages.components.tables import Column, Link, table
from pages.components.texts import _, number

SHOWN = 8


def draw_stock(topics: list[TopicView]) -> None:
    """Opt-ins of all topics, added up."""
    held = _("Opt-ins on hold for a broadcast that is being sent.")
    cards(
        [
            Card(
                _("Opt-ins available"),
                number(sum(topic.available for topic in topics)),
                _("Each allows one notification about its topic."),
            ),
            Card(_("End within 30 days"), number(sum(topic.expiring_30_days for topic in topics))),
            Card(_("On hold for broadcasts"), number(sum(topic.reserved for topic in topics)), held),
            Card(_("Notified so far"), number(sum(topic.spent for topic in topics))),
        ]
    )


def draw_topics(here: Current, topics: list[TopicView]) -> None:
    """Draws the topics with most people; the others are on their own page."""
    section(_("Who can be notified?"))
    shown = sorted(topics, key=lambda topic: -topic.people)[:SHOWN]
    columns = [
        Column(_("Topic"), lambda t: t.name, "40%"),
        Column(_("People"), lambda t: t.people),
        Column(_("End within 30 days"), lambda t: t.expiring_30_days),
        Column(_("On hold for broadcasts"), lambda t: t.reserved),
    ]
    if here.actor.may(Permission.EDIT):
        columns.append(Column(_("What's next"), _next))
    draw_counted(topics[0].counted_at if topics else None)
    table(columns, shown, key="overview_topics", on_click=lambda t: f"topics?id={t.id}")
    if len(topics) > SHOWN:
        page_registry.link("topics", _("All topics"), icon=":material/arrow_forward:")


def _next(topic: TopicView) -> object:
    if topic.people:
        return Link(_("Notify them"), f"new_broadcast?topic={topic.id}")
    if topic.spent:
        return Link(_("Ask them again"), f"topics?id={topic.id}")
    return Link(_("Let customers agree"), f"topics?id={topic.id}")
