"""Every opt-in: who agreed to what, until when; import, export, and those without a topic."""

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.opt_in_export import csv_opt_ins, workbook_opt_ins
from core.consent.opt_in_queries import (
    ORDERS,
    OptInFilter,
    count_listed,
    count_opt_ins,
    list_opt_ins,
    usual_order,
)
from core.consent.queries import has_opt_ins, list_counted_topics
from pages.components.address import draw_no_fanpage
from pages.components.column_chooser import choose
from pages.components.dialogs import open_dialog
from pages.components.export import export_menu, in_words, state_in_words
from pages.components.filters import pager
from pages.components.layout import empty_state, page_header
from pages.components.opt_in_words import SOURCES, ends, through
from pages.components.person import page_of, person
from pages.components.session import Current, current
from pages.components.table_order import order_asked
from pages.components.tables import Badge, Column, table
from pages.components.texts import _, speaker
from pages.opt_ins import filters, import_dialog, imports, without_topic

SIZE = 50


def draw_page() -> None:
    here = current()
    purpose = _("Each opt-in is one customer's permission for one notification, valid for one year.")
    slot = page_header(_("Opt-ins"), purpose, key="opt_ins")
    if here.fanpage is None:
        draw_no_fanpage("opt_ins")
        return
    fanpage_id, now = here.fanpage.id, utc_now()
    topics = list_counted_topics(fanpage_id, now=now)
    import_dialog.draw_import_dialogs(fanpage_id, topics)
    imports.draw_imports(fanpage_id)
    if not has_opt_ins(fanpage_id):
        _first(here)
        return
    chosen = filters.choose_filters(topics)
    columns = choose("opt_ins", _columns())
    with slot:
        _actions(here, fanpage_id, chosen)
    if chosen.topic_id is None:
        without = count_opt_ins(fanpage_id, OptInFilter(without_topic=True), now=now)
        without_topic.draw_without_topic(topics, without)
    _list(fanpage_id, chosen, columns)


def _first(here: Current) -> None:
    pressed = empty_state(
        "notifications_active",
        _("No opt-ins yet. One appears here whenever a customer taps “Notify Me”."),
        button=_("Import opt-ins") if here.actor.may(Permission.EDIT) else None,
        key="opt_ins",
    )
    if pressed:
        open_dialog("opt_in_import")
        st.rerun()


def _actions(here: Current, fanpage_id: int, chosen: OptInFilter) -> None:
    say, words = speaker(), {"state": state_in_words("opt_in"), "source": in_words(SOURCES)}
    export_menu(
        "opt_ins_export",
        "opt-ins",
        [fanpage_id],
        csv=lambda: b"".join(csv_opt_ins(fanpage_id, chosen, now=utc_now())),
        workbook=lambda: workbook_opt_ins(fanpage_id, chosen, now=utc_now(), say=say, words=words),
        help=_("Exports the list below. Tokens stay in the panel."),
    )
    if here.actor.may(Permission.EDIT):
        st.button(
            _("Import"),
            key="opt_ins_import",
            type="primary",
            icon=":material/upload:",
            on_click=open_dialog,
            args=("opt_in_import",),
        )


def _list(fanpage_id: int, chosen: OptInFilter, columns: list[Column]) -> None:
    now = utc_now()
    total = count_listed(fanpage_id, chosen, now=now)
    if not total:
        st.info(_("No opt-ins match these filters."))
        return
    slot = st.container()
    offset = pager(total, key="opt_ins", size=SIZE)
    order = order_asked(ORDERS, usual_order(chosen), pager_key="opt_ins")
    rows = list_opt_ins(fanpage_id, chosen, now=now, offset=offset, limit=SIZE, order=order.word, total=total)
    with slot:
        table(columns, rows, key="opt_ins", on_click=page_of, order=order)


def _columns() -> list[Column]:
    return [
        Column(_("Customer"), person, "32%"),
        Column(_("Promise"), lambda o: o.promise or _("Not recorded"), "30%", key="promise"),
        Column(_("Topic"), lambda o: o.topic or _("Without topic"), "22%", key="topic"),
        Column(_("State"), lambda o: Badge("opt_in", o.state), key="state"),
        Column(_("Agreed"), lambda o: o.consented_at, key="agreed", sorts=True),
        Column(_("Ends / ended"), ends, key="ends"),
        Column(_("Came through"), through, "16%", key="through", is_extra=True),
    ]


draw_page()
