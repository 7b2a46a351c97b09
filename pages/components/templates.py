"""Templates: the dialog that saves one, and the dialog of those that there are, to begin from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.templates import actions
from core.templates.queries import TemplateView, list_templates
from core.templates.rules import NAME_LIMIT, TemplateKind
from pages.components import page_registry
from pages.components.character_counter import show_counter
from pages.components.dialogs import close_dialog, confirm_buttons, dialog, open_dialog, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.session import Current, attempt
from pages.components.texts import _, ago, when, who

SAVE, CHOOSE = "template_save", "templates"
_NAME, _BEGUN = "template_name", "template_begun"
_SAVE = {TemplateKind.BROADCAST: actions.save_broadcast, TemplateKind.MESSAGE: actions.save_message}
_PAGE = {TemplateKind.BROADCAST: "new_broadcast", TemplateKind.MESSAGE: "message"}


def draw_save_button(here: Current, kind: TemplateKind, about_id: int, name: str) -> None:
    """The button that saves a broadcast or a message as a template, and its dialog."""
    if not here.actor.may(Permission.EDIT):
        return
    st.button(
        _("Save as template…"),
        key=f"{SAVE}_open",
        icon=":material/bookmark_add:",
        type="tertiary",
        on_click=_open,
        args=(SAVE,),
    )
    dialog(SAVE, _("Save as template"), lambda: _save_body(here, kind, about_id, name))


def _save_body(here: Current, kind: TemplateKind, about_id: int, name: str) -> None:
    said = {
        TemplateKind.BROADCAST: _("Topic, message, filters and first part are copied; times are not."),
        TemplateKind.MESSAGE: _("The blocks are copied; the entry points are not."),
    }
    st.markdown(said[kind])
    st.text_input(_("Name of the template"), name, key=_NAME)
    show_counter(st.session_state.get(_NAME) or "", NAME_LIMIT, only_near=True)

    def save() -> None:
        _SAVE[kind](here.actor, about_id, name=st.session_state[_NAME], now=utc_now())

    confirm_buttons(SAVE, _("Save"), save, done=_("Saved. You can find it under “Templates”."))


def draw_templates(here: Current, kind: TemplateKind, fanpage_id: int) -> None:
    """The button that opens the templates of a fanpage, where there are any, and their dialog."""
    if (begun := st.session_state.pop(_BEGUN, None)) is not None:
        page_registry.go(_PAGE[kind], id=begun)
    if not here.actor.may(Permission.EDIT):
        return
    templates = list_templates(fanpage_id, kind)
    if not templates:
        return
    st.button(
        _("Templates"), key=f"{CHOOSE}_open", icon=":material/bookmarks:", on_click=_open, args=(CHOOSE,)
    )
    dialog(CHOOSE, _("Templates"), lambda: _choose_body(here, kind, fanpage_id), width="medium")


def _choose_body(here: Current, kind: TemplateKind, fanpage_id: int) -> None:
    for template in list_templates(fanpage_id, kind):
        with st.container(key=f"template_{template.id}", border=True, gap="small"):
            st.markdown(f"**{escape_markdown(template.name)}**")
            saved = _("Saved by {who}, {when}")
            st.caption(
                saved.format(who=escape_markdown(who(template.created_by)), when=ago(template.created_at))
            )
            match st.session_state.get(CHOOSE):
                case ["rename", template.id]:
                    _draw_renaming(here, template)
                case ["delete", template.id]:
                    _draw_deleting(here, template)
                case _:
                    _draw_ways(here, kind, template)
    st.button(_("Close"), key=f"{CHOOSE}_close", on_click=close_dialog, args=(CHOOSE,))


def _draw_ways(here: Current, kind: TemplateKind, template: TemplateView) -> None:
    with st.container(key=f"template_{template.id}_ways", horizontal=True):
        begin = partial(_begin, here, kind, template.id)
        _button("use", template, _("Use template"), run_and_close, CHOOSE, begin)
        _button("rename", template, _("Rename…"), _turn_to, ["rename", template.id])
        _button("delete", template, _("Delete…"), _turn_to, ["delete", template.id])


def _draw_renaming(here: Current, template: TemplateView) -> None:
    key = f"{_NAME}_{template.id}"
    st.text_input(_("Name of the template"), template.name, key=key, label_visibility="collapsed")

    def rename() -> None:
        actions.rename_template(here.actor, template.id, name=st.session_state[key], now=utc_now())

    _draw_yes_or_no(template, _("Rename"), rename)


def _draw_deleting(here: Current, template: TemplateView) -> None:
    st.markdown(_("A deleted template can't be recovered. Drafts started from it stay."))
    _draw_yes_or_no(
        template, _("Delete"), lambda: actions.delete_template(here.actor, template.id, now=utc_now())
    )


def _draw_yes_or_no(template: TemplateView, verb: str, action: Callable[[], None]) -> None:
    with st.container(key=f"template_{template.id}_asked", horizontal=True):
        _button("keep", template, _("Go back"), _turn_to, None)
        _button("confirm", template, verb, _run, action, main=True)


def _button(
    name: str,
    template: TemplateView,
    label: str,
    act: Callable[..., None],
    *args: object,
    main: bool = False,
) -> None:
    st.button(
        label,
        key=f"template_{template.id}_{name}",
        type="primary" if main else "secondary",
        on_click=act,
        args=args,
    )


def _open(key: str) -> None:
    st.session_state.pop(_NAME, None)
    _turn_to(None)
    open_dialog(key)


def _turn_to(asked: list[object] | None) -> None:
    st.session_state[CHOOSE] = asked


def _begin(here: Current, kind: TemplateKind, template_id: int) -> None:
    """The page leads to the draft in its next run: a callback cannot."""
    now = utc_now()
    if kind == TemplateKind.BROADCAST:
        begun = actions.begin_broadcast(here.actor, template_id, at=when(now), now=now)
    else:
        begun = actions.begin_message(here.actor, template_id, now=now)
    st.session_state[_BEGUN] = begun


def _run(action: Callable[[], None]) -> None:
    error, _nothing = attempt(action)
    st.session_state["dialog_error"] = error
    if error is None:
        _turn_to(None)
