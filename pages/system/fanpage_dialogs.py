"""The dialogs of the set-up page: connect, renew the token, set rate and zone, go on after a repair."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.conversation.stop_word_actions import set_stop_words
from core.fanpages import actions, queries
from core.fanpages.queries import FanpageView
from core.fanpages.rules import describe_problem
from core.fanpages.send_rate import CALM_RATE, HARD_RATE
from core.settings import settings
from pages.components.dialogs import confirm, dialog, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.session import current, flash
from pages.components.texts import _, n_, number
from pages.system import launch_rules_dialog, limits_dialog, time_zone_dialog


def draw_fanpage_dialogs(fanpage: FanpageView | None) -> None:
    """Shows the dialog that is open, if any."""
    dialog("fanpage_new", _("Connect a fanpage"), lambda: _connect("fanpage_new", None), width="medium")
    if fanpage is None:
        return
    title = _("New access token for {name}", name=escape_markdown(fanpage.name))
    dialog("fanpage_again", title, lambda: _connect("fanpage_again", fanpage), width="medium")
    dialog("fanpage_rate", _("Sending rate"), lambda: _rate(fanpage))
    time_zone_dialog.draw_zone_dialog(fanpage)
    limits_dialog.draw_limits_dialog(fanpage)
    launch_rules_dialog.draw_launch_rules_dialog(fanpage)
    dialog("fanpage_stop_words", _("Stop words"), lambda: _stop_words(fanpage), width="medium")
    _resume(fanpage)


def _connect(key: str, known: FanpageView | None) -> None:
    st.text_input(
        _("Page ID"),
        value=known.page_id if known else "",
        key=f"{key}_page_id",
        disabled=known is not None,
        help=_("The number in the fanpage's “About” section, under “Page transparency”."),
    )
    st.text_input(
        _("Name"),
        value=known.name if known else "",
        key=f"{key}_name",
        placeholder=_("If empty, the fanpage's own name is used"),
    )
    st.text_input(
        _("Page access token"),
        key=f"{key}_token",
        type="password",
        autocomplete="off",
        help=_("From your app: Messenger → API settings → Generate token. It is stored encrypted."),
    )
    if known is None:
        time_zone_dialog.choose_zone(settings().timezone, f"{key}_zone")
    _submit(_("Check and connect"), key, lambda: _connect_now(key, known))


def _connect_now(key: str, known: FanpageView | None) -> None:
    typed = st.session_state
    fanpage = actions.connect(
        current().actor,
        page_id=known.page_id if known else typed[f"{key}_page_id"],
        name=typed[f"{key}_name"],
        token=typed[f"{key}_token"],
        zone=None if known else typed[f"{key}_zone"],
        is_demo=known.is_demo if known else False,
        now=utc_now(),
    )
    st.session_state["fanpage_id"] = fanpage.id
    flash(_("{name} is connected.", name=escape_markdown(fanpage.name)))
    for problem in fanpage.problems:
        flash(_(describe_problem(problem)), icon=":material/warning:")


def _rate(fanpage: FanpageView) -> None:
    st.markdown(
        _(
            "The most messages to send per second. Facebook stops fanpages that send more than "
            "{calm} per second for long.",
            calm=CALM_RATE,
        )
    )
    rate = st.number_input(
        _("Messages per second"), 1, HARD_RATE, fanpage.rate, step=1, key="fanpage_rate_value"
    )
    st.caption(_("10,000 messages take about {minutes} minutes.", minutes=number(max(1, round(167 / rate)))))
    st.checkbox(
        _("I know that above {calm} per second Facebook may stop the fanpage", calm=CALM_RATE),
        key="fanpage_rate_known",
        disabled=rate <= CALM_RATE,
    )
    _submit(_("Save the rate"), "fanpage_rate", lambda: _set_rate(fanpage))


def _set_rate(fanpage: FanpageView) -> None:
    typed = st.session_state
    rate, i_know = int(typed["fanpage_rate_value"]), bool(typed["fanpage_rate_known"])
    actions.set_rate(current().actor, fanpage.id, rate, i_know=i_know, now=utc_now())
    flash(n_("Up to {n} message per second.", "Up to {n} messages per second.", rate))


def _stop_words(fanpage: FanpageView) -> None:
    st.markdown(
        _(
            "Customers who write nothing but one of these words to the fanpage get no more "
            "notifications, and the chatbot confirms it. Case doesn't matter, accents do; only a "
            "new tap on “Notify Me” undoes it."
        )
    )
    st.text_area(
        _("Stop words, one per line"),
        value="\n".join(fanpage.stop_words),
        key="fanpage_stop_words_listed",
        height=300,
    )
    _submit(_("Save the words"), "fanpage_stop_words", lambda: _set_stop_words(fanpage))


def _set_stop_words(fanpage: FanpageView) -> None:
    listed = str(st.session_state["fanpage_stop_words_listed"]).splitlines()
    set_stop_words(current().actor, fanpage.id, listed, now=utc_now())
    flash(_("The stop words of {name} are saved.", name=escape_markdown(fanpage.name)))


def _resume(fanpage: FanpageView) -> None:
    waiting = queries.count_paused_by_stop(fanpage.id) if fanpage.stopped_code else 0
    by = current().actor
    confirm(
        "fanpage_resume",
        _("Is it fixed?"),
        _("The connection is checked first. If it works, sending continues at once:")
        + " "
        + n_("{n} broadcast resumes.", "{n} broadcasts resume.", waiting),
        _("Fixed, resume sending"),
        lambda: actions.resume_after_repair(by, fanpage.id, now=utc_now()),
        done=_("{name} can send again.", name=escape_markdown(fanpage.name)),
    )


def _submit(verb: str, key: str, action: object) -> None:
    with st.container(key=f"{key}_buttons", horizontal=True, horizontal_alignment="right"):
        st.button(verb, key=f"{key}_submit", type="primary", on_click=run_and_close, args=(key, action))
