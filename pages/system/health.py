"""Is everything alive, and what needs attention: fanpages, processes, events that wait."""

import streamlit as st

from core.accounts.rules import Permission
from core.backups import queries as backups
from core.clock import utc_now
from core.fanpages import health_actions, queries
from core.fanpages.queries import FanpageView
from core.fanpages.set_up_findings import FINDINGS, Finding
from core.fanpages.set_up_queries import ALIVE_WITHIN, is_clock_off, read_conditions
from core.inbox import event_queries
from core.inbox import queries as inbox
from core.inbox.event_filters import EventFilter
from core.inbox.rules import EventState
from core.installation import disk_room
from core.installation.heartbeat import mixed_calls_are_refused
from core.messenger.mixed_call_switch import MIXED_CALLS_REFUSED
from core.settings import settings
from pages.components import page_registry
from pages.components.fanpage_state import (
    checked,
    draw_other_app,
    draw_policy,
    draw_problems,
    draw_stop,
)
from pages.components.layout import Card, badge, cards, empty_state, page_header, section
from pages.components.session import current, do, own_fanpages
from pages.components.stop_all import draw_stop_button
from pages.components.tables import Ago, Column, table
from pages.components.texts import _, ago, number
from pages.system.alerts import draw_alerts
from pages.system.retention_table import draw_retention


def draw_page() -> None:
    actor = current().actor
    is_admin = actor.may(Permission.ADMIN)
    slot = page_header(
        _("Health"), _("Whether everything works, and what needs your attention."), key="health"
    )
    with slot:
        draw_stop_button(current())
    fanpages = own_fanpages(actor)
    if (
        fanpages
        and is_admin
        and slot.button(_("Check now"), key="health_check", type="primary", icon=":material/stethoscope:")
    ):
        with st.spinner(_("Checking with Facebook…")):
            found = do(lambda: _check(fanpages), done=_("Checked."))
        if found is not None:
            st.rerun()
    st.fragment(run_every=5)(_live)()
    section(_("Fanpages"))
    if not fanpages:
        empty_state(
            "add_link",
            _("No fanpage is connected yet."),
            button=_("Connect a fanpage") if is_admin and actor.has_all_fanpages else None,
            page="setup",
            key="health",
        )
    conditions = read_conditions(now=utc_now())
    for fanpage in fanpages:
        _fanpage(fanpage, conditions.of(fanpage), is_admin)
    draw_alerts()
    draw_retention()


def _check(fanpages: list[FanpageView]) -> object:
    return health_actions.check_all([fanpage.id for fanpage in fanpages], now=utc_now())


def _live() -> None:
    processes = queries.list_processes()
    backlog = inbox.get_backlog()
    alive = {each.kind for each in processes if utc_now() - each.at < ALIVE_WITHIN}
    waits = _("Received and stored, not processed yet.")
    if backlog.oldest_received_at:
        waits = _("The oldest arrived {when}.", when=ago(backlog.oldest_received_at))
    cards(
        [
            _life(_("Worker"), "worker" in alive, _("Sends messages and starts broadcasts.")),
            _life(_("Webhook server"), "webhook" in alive, _("Receives customers' taps and messages.")),
            Card(_("Events waiting"), number(backlog.pending), waits),
            _backup_card(),
            Card(
                _("Events that failed"),
                number(backlog.failed),
                _("Kept, so nothing is lost; tell your admin."),
            ),
        ]
    )
    if backlog.failed and _are_theirs():
        words = _("See why they failed, and replay them")
        page_registry.link("events", words, icon=":material/webhook:", state="failed")
    _silence(alive)
    for said, values in backups.problems(now=utc_now()):
        st.warning(_(said, **values), icon=":material/backup:")
    if is_clock_off():
        st.warning(_(FINDINGS[Finding.CLOCK_OFF]), icon=":material/schedule:")
    for said, values in disk_room.problems():
        st.warning(_(said, **values), icon=":material/hard_drive:")
    if mixed_calls_are_refused(since=utc_now() - ALIVE_WITHIN):
        st.warning(_(MIXED_CALLS_REFUSED), icon=":material/call_split:")
    if processes:
        columns = [
            Column(_("Process"), lambda row: f"{row.kind} {row.name}", "50%"),
            Column(_("Last signal"), lambda row: Ago(row.at)),
            Column(_("Running since"), lambda row: row.started_at),
        ]
        table(columns, processes, key="health_processes")


def _are_theirs() -> bool:
    """Whether events failed that are of a fanpage of whoever looks: the others are not shown to them."""
    failed = EventFilter(state=EventState.FAILED, fanpage_ids=current().actor.fanpage_ids)
    return event_queries.count_events(failed, at_most=1) > 0


def _backup_card() -> Card:
    if settings().is_postgresql:
        return Card(_("Last backup"), "–", _("Your PostgreSQL server makes them, not the worker."))
    if not settings().backups_kept:
        return Card(_("Last backup"), "–", _("Nightly backups are turned off (OTN_BACKUPS_KEPT)."))
    last = backups.find_last_backup()
    if last is None:
        return Card(_("Last backup"), _("None yet"), _("The worker makes one every night."))
    about = _(
        "{opt_ins} opt-ins, {size} MB, verified.", opt_ins=number(last.opt_ins), size=_megabytes(last.bytes)
    )
    return Card(_("Last backup"), ago(last.made_at), about)


def _megabytes(size: int) -> str:
    return number(max(1, round(size / 1_000_000)))


def _life(label: str, is_alive: bool, purpose: str) -> Card:
    return Card(label, _("Running") if is_alive else _("Not running"), purpose)


def _silence(alive: set[str]) -> None:
    """What it means that somebody is missing, and what to do."""
    if "worker" not in alive:
        st.error(
            _(
                "The worker is not running, so nothing is sent and no broadcast starts. Start it "
                "with `make run` or `python -m core worker`; nothing is lost in the meantime."
            ),
            icon=":material/block:",
        )
    if "webhook" not in alive:
        st.error(
            _(
                "The webhook server is not running, so no messages or opt-ins arrive. Start it "
                "with `make run` soon: Facebook only retries for a while."
            ),
            icon=":material/block:",
        )


def _fanpage(fanpage: FanpageView, condition: str, is_admin: bool) -> None:
    with st.container(key=f"health_fanpage_{fanpage.id}", border=True):
        with st.container(key=f"health_head_{fanpage.id}", horizontal=True, vertical_alignment="center"):
            st.text(fanpage.name, width="content")
            badge("fanpage", condition)
        last = inbox.last_webhook_at(fanpage.page_id)
        heard = _("Last webhook {when}", when=ago(last)) if last else _("No webhook has arrived yet")
        st.caption(f"{checked(fanpage)} · {heard}")
        draw_stop(fanpage)
        draw_policy(fanpage, current().actor)
        draw_other_app(fanpage)
        draw_problems(fanpage)
        if is_admin and condition in ("stopped", "problem", "otn_off"):
            page_registry.link("setup", _("Fix it under Set-up"), icon=":material/build:")


draw_page()
