"""Is everything alive, and what needs attention: fanpages, processes, events that wait."""

from datetime import timedelta

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.fanpages import actions, queries
from core.fanpages.queries import FanpageView, ProcessView
from core.inbox import queries as inbox
from pages.components import menu
from pages.components.fanpage_state import checked, condition, show_troubles
from pages.components.layout import Card, badge, cards, empty_state, page_header, section
from pages.components.session import current, do
from pages.components.tables import Column, Two, table
from pages.components.texts import _, ago, number, when

ALIVE_WITHIN = timedelta(seconds=30)


def body() -> None:
    is_admin = current().actor.may(Permission.ADMIN)
    spot = page_header(
        _("Health"), _("Whether everything works, and what needs your attention."), key="health"
    )
    fanpages = queries.list_fanpages()
    if (
        fanpages
        and is_admin
        and spot.button(_("Check now"), key="health_check", type="primary", icon=":material/stethoscope:")
    ):
        with st.spinner(_("Asking Facebook…")):
            found = do(lambda: actions.check_all(now=utc_now()), done=_("Checked."))
        if found is not None:
            st.rerun()
    st.fragment(run_every=5)(_live)()
    section(_("Fanpages"))
    if not fanpages:
        empty_state(
            "add_link",
            _("No fanpage is connected yet."),
            button=_("Connect a fanpage") if is_admin else None,
            page="setup",
            key="health",
        )
    for fanpage in fanpages:
        _fanpage(fanpage, is_admin)


def _live() -> None:
    processes = queries.list_processes()
    backlog = inbox.get_backlog()
    cards(
        [
            _life(_("Worker"), "worker", processes, _("Sends messages and starts broadcasts.")),
            _life(_("Webhook server"), "webhook", processes, _("Receives what customers do.")),
            Card(
                _("Events waiting"),
                number(backlog.pending),
                help=_("Arrived and kept, not yet acted on."),
                delta=_("since {when}", when=ago(backlog.oldest_received_at))
                if backlog.oldest_received_at
                else None,
            ),
            Card(
                _("Events that failed"),
                number(backlog.failed),
                help=_("Kept, so that nothing is lost; tell your admin."),
            ),
        ]
    )
    if not any(_is_alive(each) for each in processes if each.kind == "worker"):
        st.error(
            _(
                "No worker is running, so nothing is sent and no broadcast starts. Start one with "
                "`make run` or `python -m core worker`; nothing is lost meanwhile."
            ),
            icon=":material/block:",
        )
    if len(processes) > 2:
        columns = [
            Column(_("Process"), lambda row: f"{row.kind} {row.name}"),
            Column(_("Last sign of life"), lambda row: Two(ago(row.at), when(row.at))),
            Column(_("Running since"), lambda row: row.started_at),
        ]
        table(columns, processes, key="health_processes")


def _life(label: str, kind: str, processes: list[ProcessView], purpose: str) -> Card:
    ours = [each for each in processes if each.kind == kind]
    alive = [each for each in ours if _is_alive(each)]
    if alive:
        return Card(label, _("Running"), purpose, _("last sign of life {when}", when=ago(alive[0].at)))
    silent = _("silent since {when}", when=ago(ours[0].at)) if ours else _("never seen")
    return Card(label, _("Not running"), purpose, silent)


def _is_alive(process: ProcessView) -> bool:
    return utc_now() - process.at < ALIVE_WITHIN


def _fanpage(fanpage: FanpageView, is_admin: bool) -> None:
    with st.container(key=f"health_fanpage_{fanpage.id}", border=True):
        with st.container(key=f"health_head_{fanpage.id}", horizontal=True, vertical_alignment="center"):
            st.text(fanpage.name, width="content")
            badge("fanpage", condition(fanpage))
        last = inbox.last_webhook_at(fanpage.page_id)
        heard = _("Last webhook {when}", when=ago(last)) if last else _("No webhook has arrived yet")
        st.caption(f"{checked(fanpage)} · {heard}")
        show_troubles(fanpage)
        if is_admin and condition(fanpage) in ("stopped", "problem"):
            menu.link("setup", _("Repair it under set-up"), icon=":material/build:")


body()
