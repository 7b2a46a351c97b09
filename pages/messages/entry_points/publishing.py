"""What is live at Facebook beside what is here, and the button that publishes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.accounts.rules import Actor
from core.clock import utc_now
from core.conversation.entry_points import message_in
from core.conversation.keyword_rules import Clash
from core.errors import N_, Problem, problem
from core.fanpages.profile_publishing import LiveState, look, publish
from core.fanpages.queries import FanpageView
from pages.components.block_editor.fields import draw_problems
from pages.components.dialogs import close_dialog, confirm_buttons, dialog
from pages.components.session import attempt
from pages.components.texts import _
from pages.messages.entry_points.locale_names import locale_name
from pages.messages.keyword_clashes import draw_clashes

DIALOG = "publish_profile"
_SEEN = "profile_live"  # plain values: what was read from Facebook when the dialog was opened
PARTS = {
    "get_started": N_("Get Started button"),
    "greeting": N_("Greeting"),
    "ice_breakers": N_("Suggested questions"),
    "persistent_menu": N_("Menu"),
}


def forget_live() -> None:
    """Facebook is asked anew when the dialog is next drawn."""
    st.session_state.pop(_SEEN, None)


def draw_publish_dialog(
    actor: Actor,
    fanpage: FanpageView,
    *,
    names: Mapping[int, str],
    problems: Sequence[Problem],
    clashes: Sequence[Clash],
) -> None:
    def draw() -> None:
        draw_clashes(clashes, names)
        if problems:
            st.error(_("Fix what is marked in red on the page first."), icon=":material/error:")
            draw_problems([_with_place(one) for one in problems])
            return
        with st.spinner(_("Checking with Facebook…")):
            live = _live(fanpage.id)
        if isinstance(live, str):
            st.error(live, icon=":material/cloud_off:")
            st.button(_("Check Facebook again"), key="profile_look_again", on_click=forget_live)
            return
        if not live["rows"] and not live["missing"]:
            st.success(_("Facebook has exactly what is here."), icon=":material/check_circle:")
            st.button(_("Close"), key="profile_close", on_click=close_dialog, args=(DIALOG,))
            return
        _draw_differences(live, names)
        confirm_buttons(
            DIALOG,
            _("Publish to Facebook"),
            lambda: _publish(actor, fanpage.id, live),
            done=_("Published: Facebook has what is here."),
        )

    dialog(DIALOG, _("Publish to Facebook"), draw, width="large", closed=forget_live)


def _with_place(one: Problem) -> Problem:
    """The problem with the tab and the language in which it is found: the page shows one of each."""
    locale, part, *_rest = one.field.split(".")
    name = _(PARTS["persistent_menu" if part == "menu" else part])
    text = f"{name} · {locale_name(locale)}: {_(one.template, **dict(one.values))}"
    return problem("profile", "{text}", text=text)


def _publish(actor: Actor, fanpage_id: int, live: dict[str, Any]) -> None:
    forget_live()  # whatever comes of it, Facebook has to be asked again
    publish(actor, fanpage_id, seen=live["seen"], version=live["version"], now=utc_now())


def _live(fanpage_id: int) -> dict[str, Any] | str:
    """What Facebook has, or the sentence that says why it is not known."""
    if _SEEN not in st.session_state:
        refusal, state = attempt(lambda: look(fanpage_id))
        st.session_state[_SEEN] = _plain(state) if state else refusal
    found: dict[str, Any] | str = st.session_state[_SEEN]
    return found


def _plain(state: LiveState) -> dict[str, Any]:
    rows = [(each.name, each.locale, each.live, each.here) for each in state.differences]
    return {
        "rows": rows,
        "missing": list(state.missing_fields),
        "seen": state.seen,
        "version": state.version,
    }


def _draw_differences(live: dict[str, Any], names: Mapping[int, str]) -> None:
    for name, locale, is_live, is_here in live["rows"]:
        st.markdown(f"**{_(PARTS[name])}** · {locale_name(locale)}")
        left, right = st.columns(2, border=True)
        with left:
            st.caption(_("Live on Facebook now"))
            _draw_lines(is_live, names)
        with right:
            st.caption(_("After publishing"))
            _draw_lines(is_here, names)
    if live["missing"]:
        st.info(
            _(
                "Facebook will also send us comments on the fanpage's posts, so that the chatbot can "
                "answer them."
            ),
            icon=":material/add_comment:",
        )


def _draw_lines(lines: Sequence[tuple[str, str]], names: Mapping[int, str]) -> None:
    if not lines:
        st.text(_("nothing"))
    for shown, leads in lines:
        st.text(" → ".join(part for part in (shown, _target(leads, names)) if part))


def _target(leads: str, names: Mapping[int, str]) -> str:
    """Where a line leads, in words: a message of ours, an address, or the doing of another tool."""
    if leads == "composer_input_disabled":
        return _("customers can't write")
    message_id = message_in(leads)
    if message_id is not None:
        return names.get(message_id, _("a message that no longer exists"))
    if not leads or leads.startswith(("http://", "https://")):
        return leads
    return _("“{payload}”", payload=leads[:40])
