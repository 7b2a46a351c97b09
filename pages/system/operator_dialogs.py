"""The dialogs of the users page: add, role, password, sessions, disable, enable."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.accounts import actions, second_factor
from core.accounts.queries import OperatorView
from core.accounts.rules import NAME_LIMIT, Role
from core.accounts.sign_in import may_have_password
from core.accounts.single_sign_on.linking import unlink
from core.clock import utc_now
from core.errors import N_
from pages.components.character_counter import show_counter
from pages.components.dialogs import close_dialog, confirm, dialog, open_dialog, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.session import current, flash
from pages.components.texts import _, state_label
from pages.system.fanpage_choice import chosen_fanpages, draw_fanpage_choice

ROLE_MEANS = {
    Role.VIEWER: N_("sees everything, changes nothing"),
    Role.EDITOR: N_("also writes topics, messages and drafts, imports opt-ins"),
    Role.SENDER: N_("also launches, schedules, pauses and cancels broadcasts"),
    Role.ADMIN: N_("also manages users, fanpages and set-up"),
}


def open_for(key: str, operator_id: int) -> None:
    """Callback: opens a dialog about one operator."""
    st.session_state["operator_chosen"] = operator_id
    open_dialog(key)


def draw_operator_dialogs(by_id: dict[int, OperatorView]) -> None:
    """Shows the dialog that is open, if any."""
    dialog("operator_new", _("Add user"), _new)
    dialog("operator_password", _("Password to pass on"), _password, closed=_forget_password)
    chosen = by_id.get(st.session_state.get("operator_chosen", 0))
    if chosen is not None:
        dialog("operator_role", _("Role of {name}", name=escape_markdown(chosen.name)), lambda: _role(chosen))
        dialog(
            "operator_fanpages",
            _("Fanpages that {name} manages", name=escape_markdown(chosen.name)),
            lambda: _fanpages(chosen),
        )
        _about_password(chosen)
        _about_company_account(chosen)
        _about_access(chosen)


def _about_password(chosen: OperatorView) -> None:
    by, name = current().actor, escape_markdown(chosen.name)
    confirm(
        "operator_reset",
        _("Give {name} a new password?", name=name),
        _("Their current password stops working and their sessions end. You will see the new one only once."),
        _("Create a new password"),
        lambda: _hand_over(chosen.name, actions.reset_password(by, chosen.id, now=utc_now())),
    )
    confirm(
        "operator_code",
        _("Remove the second factor of {name}?", name=name),
        _("They sign in with only the password until they set up another phone."),
        _("Remove"),
        lambda: second_factor.disable_of(by, chosen.id, now=utc_now()),
        done=_("{name} no longer has a second factor.", name=name),
    )
    confirm(
        "operator_out",
        _("Sign {name} out everywhere?", name=name),
        _("All their open sessions end at once. They can sign in again."),
        _("Sign out everywhere"),
        lambda: actions.end_sessions(by, chosen.id, now=utc_now()),
        done=_("{name} is signed out everywhere.", name=name),
    )


def _about_company_account(chosen: OperatorView) -> None:
    account = escape_markdown(chosen.company_account)
    said = [
        _("Their company account is {account}.", account=account) if account else "",
        _("They sign in with a password again, which you will see only once.")
        if may_have_password(chosen.role)
        else _("They won't be able to sign in any more: only admins use passwords here."),
        _("Their sessions end. Name, fanpages and history stay, and so does the role: check that it fits."),
        _("Anyone who signs in with that company account later becomes a new user."),
    ]
    confirm(
        "operator_unlink",
        _("Disconnect the company account of {name}?", name=escape_markdown(chosen.name)),
        " ".join(filter(None, said)),
        _("Disconnect"),
        lambda: _unlink(chosen),
    )


def _unlink(chosen: OperatorView) -> None:
    password = unlink(current().actor, chosen.id, now=utc_now())
    if password is not None:
        _hand_over(chosen.name, password)
    else:
        flash(_("The company account of {name} is disconnected.", name=escape_markdown(chosen.name)))


def _about_access(chosen: OperatorView) -> None:
    by, name = current().actor, escape_markdown(chosen.name)
    confirm(
        "operator_disable",
        _("Disable {name}?", name=name),
        _("Their sessions end at once and they can't sign in. What they did stays in the activity log."),
        _("Disable"),
        lambda: actions.disable_operator(by, chosen.id, now=utc_now()),
        done=_("{name} is disabled.", name=name),
    )
    confirm(
        "operator_export",
        _("Allow {name} to export?", name=name),
        _("They can download lists of customers, opt-ins and results as files. Each export is recorded."),
        _("Allow"),
        lambda: actions.set_exports(by, chosen.id, allowed=True, now=utc_now()),
    )
    confirm(
        "operator_no_export",
        _("Disallow exports for {name}?", name=name),
        _("They still see everything in the panel."),
        _("Disallow"),
        lambda: actions.set_exports(by, chosen.id, allowed=False, now=utc_now()),
    )
    confirm(
        "operator_enable",
        _("Enable {name}?", name=name),
        _("They can sign in again by single sign-on, with the role that they have there.")
        if chosen.has_single_sign_on
        else _("They have no password any more; give them a new one afterwards.")
        if chosen.has_no_way_in
        else _("They can sign in again with the password and the role they had."),
        _("Enable"),
        lambda: actions.enable_operator(by, chosen.id, now=utc_now()),
        done=_("{name} is enabled.", name=name),
    )


def _new() -> None:
    name = st.text_input(
        _("User name"),
        key="operator_name",
        help=_("What they type to sign in, for example lan.anh"),
    )
    show_counter(name, NAME_LIMIT, only_near=True)
    _role_choice("operator_new_role", Role.EDITOR)
    draw_fanpage_choice("operator_new", None)
    _button(_("Add user"), "operator_new", "operator_new_submit", _invite)


def _invite() -> None:
    name, role = st.session_state["operator_name"], st.session_state["operator_new_role"]
    operator, password = actions.invite_operator(
        current().actor, name, role, fanpage_ids=chosen_fanpages("operator_new"), now=utc_now()
    )
    _hand_over(operator.name, password)


def _role(chosen: OperatorView) -> None:
    if chosen.has_single_sign_on:
        st.markdown(_(actions.ROLE_FROM_ELSEWHERE, name=escape_markdown(chosen.name)))
        return
    _role_choice("operator_role_choice", chosen.role)
    _button(_("Change role"), "operator_role", "operator_role_submit", lambda: _change_role(chosen))


def _change_role(chosen: OperatorView) -> None:
    role = st.session_state["operator_role_choice"]
    actions.change_role(current().actor, chosen.id, role, now=utc_now())


def _fanpages(chosen: OperatorView) -> None:
    draw_fanpage_choice("operator_of", chosen.fanpage_ids)
    st.caption(_("If you take a fanpage away, their open sessions end and they have to sign in again."))
    _button(_("Save"), "operator_fanpages", "operator_fanpages_submit", lambda: _limit(chosen))


def _limit(chosen: OperatorView) -> None:
    fanpage_ids = chosen_fanpages("operator_of")
    actions.limit_to_fanpages(current().actor, chosen.id, fanpage_ids, now=utc_now())


def _role_choice(key: str, chosen: Role) -> None:
    roles = [role.value for role in Role]
    st.radio(
        _("Role"),
        roles,
        index=roles.index(chosen),
        key=key,
        format_func=lambda role: state_label("role", role)[0],
        captions=[_(ROLE_MEANS[Role(role)]) for role in roles],
    )


def _button(verb: str, dialog_key: str, key: str, action: Callable[[], object]) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(verb, key=key, type="primary", on_click=run_and_close, args=(dialog_key, action))


def _hand_over(name: str, password: str) -> None:
    """Keeps the fresh password in this session until its dialog is closed, and opens that dialog."""
    st.session_state["operator_password_shown"] = (name, password)
    open_dialog("operator_password")


def _forget_password() -> None:
    st.session_state.pop("operator_password_shown", None)


def _password() -> None:
    name, password = st.session_state.get("operator_password_shown", ("", ""))
    st.markdown(
        _("Give this to **{name}** over a secure channel. It is shown only once.", name=escape_markdown(name))
    )
    st.code(password, language=None)
    st.caption(_("They choose their own password when they first sign in."))
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            _("I have saved it"), key="operator_password_done", type="primary", on_click=_password_handed_over
        )


def _password_handed_over() -> None:
    _forget_password()
    close_dialog("operator_password")
