"""The last thirty days: who agreed, who was notified, what lapsed; and through what customers agreed."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from core.broadcasts.calendar_queries import sent_by_day
from core.clock import today_in, utc_now
from core.consent.opt_in_count_queries import Stock
from core.funnel.queries import top_entry_points
from pages.components import page_registry
from pages.components.calendar_grid import days_from
from pages.components.charts import BLUE, GREEN, ORANGE, Point, draw_columns
from pages.components.layout import section
from pages.components.opt_in_words import entry_words
from pages.components.tables import Column, table
from pages.components.texts import _, language, percent

DAYS = 30


def draw_history(fanpage_id: int, zone: str, stock: Stock | None) -> None:
    """Three columns a day on one axis; nothing before anything was counted or sent."""
    first = today_in(zone) - timedelta(days=DAYS - 1)
    sent = sent_by_day(fanpage_id, ZoneInfo(zone), since=utc_now() - timedelta(days=DAYS))
    series = (
        (_("Agreed"), GREEN, stock.agreed if stock else {}),
        (_("Sent"), BLUE, sent),
        (_("Expired unused"), ORANGE, stock.lapsed if stock else {}),
    )
    days = days_from(first, DAYS)
    points = [
        Point(str(format_date(day, _("d MMM"), locale=language())), name, values.get(day.isoformat(), 0))
        for day in days
        for name, _colour, values in series
    ]
    if not any(point.value for point in points):
        return
    colours = {name: colour for name, colour, _values in series}
    question = _("Do more customers opt in than are notified or expire?")
    draw_columns(question, points, colours=colours, key="history", time=_("Day"))


def draw_entry_points(fanpage_id: int, zone: str) -> None:
    """Draws the entry points through which most customers agreed in that time."""
    since = (today_in(zone) - timedelta(days=DAYS - 1)).isoformat()
    parts = [part for part in top_entry_points(fanpage_id, since=since) if part.figures.tapped]
    if not parts:
        return
    section(_("Where did most opt-ins come from in the last 30 days?"))
    columns = [
        Column(_("Entry point"), lambda part: entry_words(*part.key), "52%"),
        Column(_("Agreed"), lambda part: part.figures.tapped),
        Column(_("Of those asked"), lambda part: percent(part.figures.tapped / part.figures.asked)),
    ]
    table(columns, parts, key="top_entry_points")
    page_registry.link("entry_points", _("All entry points"), icon=":material/arrow_forward:")
