"""What surrounds every page: look, sign-in, sidebar, and a calm answer to what nobody foresaw."""

from __future__ import annotations

import streamlit as st

from core import logs
from core.fanpages.queries import FanpageView
from pages.components import first_values, page_registry, session
from pages.components.dialogs import leave_dialogs
from pages.components.session import draw_flashes
from pages.components.texts import _, language
from pages.shell import account, ended_notice, hold_notice, login, menu, start_page, style, switcher


def run() -> None:
    """Runs the panel once, whatever address was asked for."""
    logs.begin_request()
    first_values.begin_run()
    hold_notice.stop_at_another_revision()
    if "operator_id" not in st.session_state:
        session.signed_in()  # in whose language the first page is drawn
    page = page_registry.declare()
    entry = page_registry.asked_for(page)
    title = f"{_(entry.title)} · Notify Once"
    st.set_page_config(page_title=title, page_icon=style.MARK, layout="wide")
    style.apply(language())
    hold_notice.stop_at_another_key()
    found = login.gate(page.url_path)
    if found is None:
        st.stop()
    if chosen := st.session_state.pop("go_to", None):
        page_registry.go(chosen)  # not in the callback that chose: Streamlit ignores st.switch_page there
    if st.session_state.pop("fanpage_switched", False):
        # What the address asks for belongs to the other fanpage, so its list is opened instead.
        page_registry.go(entry.parent or entry.url_path)
    here = session.current()
    fanpages = session.own_fanpages(here.actor)
    with st.sidebar:
        _sidebar(here, entry, fanpages, has_password=not found.operator.has_single_sign_on)
    draw_flashes()
    if page.url_path in page_registry.BY_PATH and st.query_params.pop(start_page.LOST, ""):
        st.info(
            _("There is no page at that address, so this is the overview."), icon=":material/explore_off:"
        )
    hold_notice.draw_hold_notice(here)
    ended_notice.draw_ended_notices(here)
    leave_dialogs(page.url_path)
    switcher.draw_fanpage_search(here.fanpage, fanpages)
    if entry.url_path not in page_registry.OF_NO_FANPAGE:
        session.stop_without_fanpages(here.actor)
    session.require(entry.permission, of_all=entry.of_all)
    page.run()
    draw_flashes()  # once more, for what the page itself noted without a rerun
    first_values.end_run()


def unforeseen(error: Exception) -> bool:
    """What the server does with an exception no page foresaw: log it, show a calm sentence with its id."""
    st.error(session.unexpected_text(error), icon=":material/error:")
    return True


def _sidebar(
    here: session.Current, entry: page_registry.Entry, fanpages: list[FanpageView], *, has_password: bool
) -> None:
    style.draw_brand()
    switcher.draw_switcher(here.fanpage, fanpages)
    menu.draw_menu(here.actor, entry, with_demo=any(fanpage.is_demo for fanpage in fanpages))
    account.draw_account(here, has_password=has_password)
