"""The stepper around a draft: who, what, when, check; and the way from one step to the next."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.broadcasts.draft_rules import check_content
from core.broadcasts.drafts import Draft
from core.errors import N_
from pages.components.texts import _

STEPS: dict[str, tuple[str, str]] = {
    "who": (N_("To whom"), "counter_1"),
    "what": (N_("What to say"), "counter_2"),
    "when": (N_("When to send"), "counter_3"),
    "check": (N_("Check"), "counter_4"),
}
_NAMES = list(STEPS)
_GO_TO = "broadcast_go_to"


def asked_step(draft: Draft | None) -> str:
    """The step in the address; only a draft has more than the first."""
    asked = st.query_params.get("step", "")
    return asked if draft is not None and asked in STEPS else _NAMES[0]


def go_to(step: str) -> None:
    """Leads to a step, once the one on the page is saved: a click that overtakes what was just typed loses
    nothing."""
    st.session_state[_GO_TO] = step


def drop_idle_move(draft: Draft | None) -> None:
    """Forgets a click that leads nowhere: to the step that is open already, or on where there is no draft, or
    none any more."""
    if draft is None or st.session_state.get(_GO_TO) == asked_step(draft):
        st.session_state.pop(_GO_TO, None)


def is_moving() -> bool:
    """Whether a button leads to another step in this run."""
    return _GO_TO in st.session_state


def move_on(*, refused: bool) -> None:
    """Where a button led; what could not be saved stays on the page with the reason."""
    step = st.session_state.pop(_GO_TO)
    if not refused:
        st.query_params["step"] = step


def draw_steps(here: str, draft: Draft | None) -> None:
    """The four steps at the top; without a draft only the first can be opened."""
    done = set() if draft is None else {"who", "when"}
    if draft is not None and not check_content(draft.content):
        done.add("what")
    with st.container(key="steps", horizontal=True, gap="small", wrap=False):
        for name, (word, icon) in STEPS.items():
            is_here = name == here
            sign = "check_circle" if name in done and not is_here else icon
            with st.container(key=f"stepbox{'_here' if is_here else ''}_{name}", width="stretch"):
                st.button(
                    _(word),
                    key=f"step_{name}",
                    icon=f":material/{sign}:",
                    type="tertiary",
                    disabled=draft is None and not is_here,
                    on_click=go_to,
                    args=(name,),
                    width="stretch",
                )


def draw_nav(here: str) -> None:
    """Back and on, below a step."""
    place = _NAMES.index(here)
    aligned: Literal["distribute", "right"] = "distribute" if place else "right"
    with st.container(key="step_ways", horizontal=True, horizontal_alignment=aligned):
        if place:
            back = _NAMES[place - 1]
            st.button(_("Back"), key="step_back", icon=":material/arrow_back:", on_click=go_to, args=(back,))
        if place + 1 < len(_NAMES):
            on = _NAMES[place + 1]
            st.button(
                _("Continue"),
                key="step_on",
                type="primary",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=go_to,
                args=(on,),
            )
