"""Testers: colleagues who get messages and broadcasts on their own phones, before customers do."""

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.testers.actions import remove_tester
from core.testers.queries import TesterView, list_testers
from pages.components.address import draw_no_fanpage
from pages.components.dialogs import confirm, open_dialog
from pages.components.layout import badge, empty_state, page_header
from pages.components.markdown import escape_markdown
from pages.components.session import current, require
from pages.components.texts import _, when
from pages.testers import invitation

_CHOSEN = "tester_chosen"


def draw_page() -> None:
    require(Permission.EDIT)
    here = current()
    slot = page_header(
        _("Testers"),
        _("Anyone on this list can get messages and broadcasts as a test, before customers do."),
        key="testers",
    )
    if here.fanpage is None:
        draw_no_fanpage("testers")
        return
    testers = list_testers(here.fanpage.id)
    if testers:
        slot.button(
            _("Add a tester"),
            key="tester_add",
            type="primary",
            icon=":material/person_add:",
            on_click=invitation.begin,
        )
    elif empty_state(
        "send_to_mobile",
        _("Nobody yet. Write a code word to your fanpage, and test messages arrive on your own phone."),
        button=_("Add a tester"),
        key="testers",
    ):
        invitation.begin()
    for tester in testers:
        _row(tester, own=here.actor.id)
    invitation.draw_dialog(here.fanpage, testers)
    _draw_removal(testers)


def _row(tester: TesterView, *, own: int | None) -> None:
    with st.container(key=f"tester_{tester.id}", border=True):
        name, state, more = st.columns([3.4, 4, 2.4], vertical_alignment="center")
        you = f" :gray[({_('you')})]" if tester.operator_id == own else ""
        name.markdown(f"**{escape_markdown(tester.name)}**{you}")
        if tester.customer_name:
            name.caption(_("In Messenger: {name}", name=escape_markdown(tester.customer_name)))
        with state:
            badge("tester", _state(tester))
            if tester.window_closes_at and tester.may_get(utc_now()):
                st.caption(_("Can get test messages until {when}.", when=when(tester.window_closes_at)))
            elif tester.customer_id is None and tester.code_expires_at:
                st.caption(_("The code is valid until {when}.", when=when(tester.code_expires_at)))
        with more.container(horizontal=True, horizontal_alignment="right"):
            if tester.customer_id is None:
                st.button(
                    _("Show code"),
                    key=f"tester_{tester.id}_code",
                    icon=":material/qr_code_2:",
                    type="tertiary",
                    on_click=invitation.show,
                    args=(tester.id,),
                )
            st.button(
                _("Remove…"),
                key=f"tester_{tester.id}_remove",
                icon=":material/delete:",
                type="tertiary",
                on_click=_ask_to_remove,
                args=(tester.id,),
            )


def _state(tester: TesterView) -> str:
    now = utc_now()
    if tester.customer_id is not None:
        return "ready" if tester.may_get(now) else "closed"
    is_good = tester.code_expires_at is not None and tester.code_expires_at > now
    return "invited" if is_good else "expired"


def _ask_to_remove(tester_id: int) -> None:
    st.session_state[_CHOSEN] = tester_id
    open_dialog("tester_remove")


def _draw_removal(testers: list[TesterView]) -> None:
    chosen = next((each for each in testers if each.id == st.session_state.get(_CHOSEN)), None)
    if chosen is None:
        return
    by = current().actor
    confirm(
        "tester_remove",
        _("Take {name} off the list?", name=escape_markdown(chosen.name)),
        _("They get no more test messages, but stay a customer of the fanpage."),
        _("Remove"),
        lambda: remove_tester(by, chosen.id, now=utc_now()),
        done=_("Removed."),
    )


draw_page()
