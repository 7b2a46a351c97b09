"""What a fanpage asks of every launch: the dialog of the set-up page."""

from __future__ import annotations

from datetime import date, datetime, time

import streamlit as st
from babel.dates import get_day_names

from core.broadcasts.launch_rules import LaunchRules
from core.clock import utc_now
from core.errors import N_, Invalid, problem
from core.fanpages.launch_rule_actions import set_launch_rules
from core.fanpages.queries import FanpageView
from pages.components.dialogs import confirm_buttons, dialog
from pages.components.markdown import escape_markdown
from pages.components.session import current, flash
from pages.components.texts import _, language

KEY = "fanpage_launch_rules"
_WRITTEN = "%d/%m/%Y"  # how people write days, and read them elsewhere in the panel


def draw_launch_rules_dialog(fanpage: FanpageView) -> None:
    """Shows the dialog while it is open."""
    dialog(KEY, _("Quiet hours and approval"), lambda: _body(fanpage), width="medium")


def _body(fanpage: FanpageView) -> None:
    rules = fanpage.launch_rules
    st.markdown(f"**{_('When nothing is sent')}**")
    with st.container(horizontal=True):
        st.time_input(_("Quiet from"), _time(rules.quiet_from), key=f"{KEY}_from", width=140)
        st.time_input(_("Quiet until"), _time(rules.quiet_to), key=f"{KEY}_to", width=140)
    names = get_day_names("wide", locale=language())
    st.multiselect(
        _("Days of the week without broadcasts"),
        list(range(7)),
        list(rules.weekdays_off),
        key=f"{KEY}_weekdays",
        format_func=lambda day: str(names[day]),
        placeholder=_("None"),
    )
    st.text_area(
        _("Days off"),
        "\n".join(f"{date.fromisoformat(day):{_WRITTEN}}" for day in rules.days_off),
        key=f"{KEY}_days",
        placeholder="06/02/2027",
        help=_("One day a line, such as 06/02/2027 (day, month, year)."),
        height=90,
    )
    st.caption(
        _(
            "In the fanpage's time zone. Broadcasts due then start afterwards; those being sent "
            "wait and continue automatically. Anyone not reached before the send-by time keeps the "
            "opt-in. The chatbot still answers."
        )
    )
    st.markdown(f"**{_('Who can launch')}**")
    st.checkbox(
        _("A second person approves"),
        rules.needs_second_person,
        key=f"{KEY}_second",
        help=_(
            "The person who last changed a version can't launch it; another sender reviews and launches it."
        ),
    )
    st.number_input(
        _("Ask to type the number of people from (0: never)"),
        0,
        value=rules.count_typed_above,
        step=100,
        key=f"{KEY}_count",
    )
    confirm_buttons(KEY, _("Save"), lambda: _save(fanpage))


def _save(fanpage: FanpageView) -> None:
    typed = {name: st.session_state[f"{KEY}_{name}"] for name in ("from", "to", "weekdays", "days", "second")}
    rules = LaunchRules(
        quiet_from=_text(typed["from"]),
        quiet_to=_text(typed["to"]),
        weekdays_off=tuple(sorted(typed["weekdays"])),
        days_off=tuple(_days(typed["days"])),
        needs_second_person=typed["second"],
        count_typed_above=int(st.session_state[f"{KEY}_count"]),
    )
    set_launch_rules(current().actor, fanpage.id, rules, now=utc_now())
    flash(_("The rules of {name} are saved.", name=escape_markdown(fanpage.name)))


def _days(text: str) -> list[str]:
    try:
        return sorted({_day(line.strip()).isoformat() for line in text.splitlines() if line.strip()})
    except ValueError:
        words = N_("Write each day off as 06/02/2027 (day, month, year), one a line.")
        raise Invalid([problem("days_off", words)]) from None


def _day(typed: str) -> date:
    return date.fromisoformat(typed) if "-" in typed else datetime.strptime(typed, _WRITTEN).date()


def _time(kept: str) -> time | None:
    return time.fromisoformat(kept) if kept else None


def _text(chosen: time | None) -> str:
    return f"{chosen:%H:%M}" if chosen else ""
