"""The people who may use the panel: roles, passwords, sessions. Admins only."""

import streamlit as st

from core.accounts import queries
from core.accounts.queries import OperatorView
from core.accounts.rules import Permission, Role
from pages.components.dialogs import open_dialog
from pages.components.layout import badge, page_header
from pages.components.markdown import escape_markdown
from pages.components.session import current, require
from pages.components.texts import _, ago, n_
from pages.system import operator_dialogs as dialogs


def draw_page() -> None:
    require(Permission.ADMIN)
    slot = page_header(
        _("Users"), _("Who may use this panel, and what each of them may do."), key="operators"
    )
    slot.button(
        _("Add user"),
        key="operator_add",
        type="primary",
        icon=":material/person_add:",
        on_click=open_dialog,
        args=("operator_new",),
    )
    operators = queries.list_operators()
    own_id = current().actor.id
    for operator in operators:
        _row(operator, is_own=operator.id == own_id)
    dialogs.draw_operator_dialogs({operator.id: operator for operator in operators})


def _row(operator: OperatorView, *, is_own: bool) -> None:
    with st.container(key=f"operator_{operator.id}", border=True):
        name, role, state, more = st.columns([3.6, 2, 2, 1.8], vertical_alignment="center")
        name.markdown(f"**{escape_markdown(operator.name)}**" + (f" :gray[({_('you')})]" if is_own else ""))
        if operator.has_single_sign_on:
            name.caption(_("by single sign-on"))
        elif operator.has_no_way_in:
            name.caption(f":orange[:material/key_off: {_('no way to sign in')}]")
        if operator.fanpage_ids is not None:
            count = len(operator.fanpage_ids)
            only = n_("{n} fanpage only", "{n} fanpages only", count)
            name.caption(only if count else f":orange[:material/hourglass_top: {_('no fanpage yet')}]")
        with role:
            badge("role", operator.role)
        with state:
            badge("operator", operator.state)
        name.caption(
            _("Last seen {when}", when=ago(operator.last_seen_at))
            if operator.last_seen_at
            else _("Never signed in")
        )
        more.menu_button(
            _("Actions"),
            list(choices := _choices(operator, is_own=is_own)),
            key=f"operator_{operator.id}_more",
            format_func=choices.__getitem__,
            on_click=_open,
            args=(operator.id,),
        )


def _choices(operator: OperatorView, *, is_own: bool) -> dict[str, str]:
    if operator.disabled_at:
        return {"operator_enable": f":material/person_check: {_('Enable…')}"}
    if operator.role == Role.VIEWER:
        exports = (
            {"operator_no_export": f":material/file_download_off: {_('Disallow exports…')}"}
            if operator.was_granted_exports
            else {"operator_export": f":material/download: {_('Allow exports…')}"}
        )
    else:
        exports = {}
    lost = {"operator_code": f":material/phonelink_erase: {_('Remove second factor…')}"}
    way_in = (
        {"operator_unlink": f":material/link_off: {_('Disconnect company account…')}"}
        if operator.has_single_sign_on
        else {"operator_reset": f":material/key: {_('New password…')}"}
    )
    if is_own:
        way_in = {}  # their sessions end before anybody has read the password
    return {
        "operator_role": f":material/shield_person: {_('Change role…')}",
        "operator_fanpages": f":material/flag: {_('Fanpages…')}",
        **way_in,
        **exports,
        **(lost if operator.has_second_factor else {}),
        "operator_out": f":material/logout: {_('Sign out everywhere…')}",
        "operator_disable": f":material/person_off: {_('Disable…')}",
    }


def _open(operator_id: int) -> None:
    dialogs.open_for(st.session_state[f"operator_{operator_id}_more"], operator_id)


draw_page()
