"""The people who may use the panel: roles, passwords, sessions. Admins only."""

import streamlit as st

from core.accounts import queries
from core.accounts.queries import OperatorView
from core.accounts.rules import Permission
from pages.components import operator_dialogs as dialogs
from pages.components.layout import badge, open_dialog, page_header
from pages.components.session import current, require
from pages.components.texts import _, ago


def body() -> None:
    require(Permission.ADMIN)
    spot = page_header(
        _("Users"), _("Who may use this panel, and what each of them may do."), key="operators"
    )
    spot.button(
        _("Add user"),
        key="operator_add",
        type="primary",
        icon=":material/person_add:",
        on_click=open_dialog,
        args=("operator_new",),
    )
    operators = queries.list_operators()
    for operator in operators:
        _row(operator)
    dialogs.show({operator.id: operator for operator in operators})


def _row(operator: OperatorView) -> None:
    with st.container(key=f"operator_{operator.id}", border=True):
        name, role, state, seen, more = st.columns([3, 2, 3, 3, 1], vertical_alignment="center")
        own = operator.id == current().actor.id
        name.markdown(f"**{operator.name}**" + (f" :gray[({_('you')})]" if own else ""))
        with role:
            badge("role", operator.role)
        with state:
            badge("operator", operator.state)
        seen.caption(
            _("Last seen {when}", when=ago(operator.last_seen_at))
            if operator.last_seen_at
            else _("Never signed in")
        )
        with more.popover("", icon=":material/more_horiz:", key=f"operator_{operator.id}_more"):
            for key, label, icon in _choices(operator):
                st.button(
                    label,
                    key=f"operator_{operator.id}_{key}",
                    icon=f":material/{icon}:",
                    type="tertiary",
                    on_click=dialogs.open_for,
                    args=(f"operator_{key}", operator.id),
                )


def _choices(operator: OperatorView) -> list[tuple[str, str, str]]:
    if operator.disabled_at:
        return [("enable", _("Enable…"), "person_check")]
    return [
        ("role", _("Change role…"), "shield_person"),
        ("reset", _("New password…"), "key"),
        ("out", _("Sign out everywhere…"), "logout"),
        ("disable", _("Disable…"), "person_off"),
    ]


body()
