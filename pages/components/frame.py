"""What surrounds every page: look, sign-in, sidebar, and a calm answer to what nobody foresaw."""

from __future__ import annotations

import streamlit as st

from core.accounts import actions
from core.accounts.rules import Actor
from core.fanpages.queries import FanpageView, list_fanpages
from pages.components import login, menu, session, style
from pages.components.layout import close_dialog, dialog, leave_dialogs, open_dialog
from pages.components.session import flash, show_flashes
from pages.components.texts import LANGUAGES, _, language


def run() -> None:
    """One run of the panel, whatever address was asked for."""
    st.set_page_config(page_title="Notify Once", page_icon=style.MARK, layout="wide")
    style.apply()
    page = menu.declare()
    if login.gate() is None:
        st.stop()
    here = session.current()
    with st.sidebar:
        _sidebar(here, menu.asked_for(page))
    show_flashes()
    leave_dialogs(page.url_path)
    session.require(menu.asked_for(page).permission)
    page.run()
    show_flashes()


def unforeseen(error: Exception) -> bool:
    """What the server does with an exception no page foresaw: log it, show a calm sentence with its id."""
    st.error(session.unexpected_text(error), icon=":material/error:")
    return True


def _sidebar(here: session.Current, entry: menu.Entry) -> None:
    fanpages = list_fanpages()
    style.brand()
    _switcher(here.fanpage, fanpages)
    menu.show(here.actor, entry, with_demo=any(fanpage.is_demo for fanpage in fanpages))
    _account(here)


def _switcher(chosen: FanpageView | None, fanpages: list[FanpageView]) -> None:
    if chosen is None:
        return
    by_id = {fanpage.id: fanpage for fanpage in fanpages}
    st.session_state["fanpage_switch"] = chosen.id
    st.selectbox(
        _("Fanpage"),
        list(by_id),
        key="fanpage_switch",
        format_func=lambda fanpage_id: by_id[fanpage_id].name,
        on_change=_switch,
        label_visibility="collapsed",
    )


def _switch() -> None:
    st.session_state["fanpage_id"] = st.session_state["fanpage_switch"]


def _account(here: session.Current) -> None:
    with st.container(key="account", gap="small"):
        st.segmented_control(
            _("Language"),
            list(LANGUAGES),
            default=here.language,
            required=True,
            key="language_switch",
            format_func=LANGUAGES.__getitem__,
            on_change=_speak,
            label_visibility="collapsed",
            width="stretch",
        )
        choices = {
            "password": f":material/key: {_('Change password')}",
            "sign_out": f":material/logout: {_('Sign out on every device')}",
        }
        st.menu_button(
            here.actor.name,
            list(choices),
            key="account_menu",
            icon=":material/account_circle:",
            format_func=choices.__getitem__,
            on_click=_account_chosen,
            width="stretch",
        )
    dialog("own_password", _("Change password"), _own_password)


def _account_chosen() -> None:
    if st.session_state["account_menu"] == "sign_out":
        login.sign_out()
    else:
        open_dialog("own_password")


def _own_password() -> None:
    operator = session.signed_in()
    note = login.change_password(operator, key="own_password") if operator else None
    if note:
        close_dialog("own_password")
        flash(note)
        st.rerun()


def _speak() -> None:
    st.session_state["language"] = st.session_state["language_switch"]
    operator = session.signed_in()
    if operator is not None:
        actor = Actor(operator.id, operator.name, operator.role)
        actions.set_language(actor, language())
