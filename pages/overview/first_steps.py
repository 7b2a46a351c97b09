"""The first steps of a newcomer as a short checklist; only the next one has a button."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.dashboard_queries import FirstSteps
from pages.components import page_registry
from pages.components.layout import section
from pages.components.session import Current
from pages.components.texts import _


@dataclass(frozen=True)
class Step:
    """A step of a newcomer, and the page on which it is done."""

    done: bool
    title: str
    words: str
    label: str
    page: str
    permission: Permission = Permission.EDIT


def draw_first_steps(here: Current, steps: FirstSteps | None) -> None:
    """`steps` None: no fanpage is connected yet."""
    listed = _listed(steps)
    with st.container(key="first_steps", border=True):
        section(_("First steps"))
        st.caption(
            _(
                "Six steps to your first notification. Steps are ticked off automatically as you complete "
                "them."
            )
        )
        left = [step for step in listed if not step.done]
        theirs = (step for step in left if here.actor.may(step.permission))  # nobody waits for an admin
        following = next(theirs, left[0] if left else None)
        for place, step in enumerate(listed):
            _draw(here, step, place, is_next=step is following)


def _draw(here: Current, step: Step, place: int, *, is_next: bool) -> None:
    icon = ":green[:material/check_circle:]" if step.done else f":gray[:material/counter_{place + 1}:]"
    if is_next:
        icon = f":blue[:material/counter_{place + 1}:]"
    with st.container(
        key=f"first_step{'_next' if is_next else ''}_{place}", horizontal=True, vertical_alignment="center"
    ):
        words = f"{icon} **{step.title}**" if is_next else f"{icon} {step.title}"
        st.markdown(f"{words}  \n:gray[{step.words}]" if is_next else words, width="stretch")
        if not is_next:
            return
        if not here.actor.may(step.permission):
            st.caption(
                _("Your role doesn't include this step: ask an admin or somebody who can do it."),
                width="content",
            )
        elif st.button(step.label, key="first_step_go", type="primary", icon=":material/arrow_forward:"):
            page_registry.go(step.page)


def _listed(steps: FirstSteps | None) -> list[Step]:
    connected = steps is not None
    done = steps or FirstSteps(False, False, False, False, False)
    return [
        Step(
            connected,
            _("Connect a fanpage"),
            _(
                "With its access token the panel can receive customers' taps and send messages for the "
                "fanpage."
            ),
            _("Go to Set-up"),
            "setup",
            Permission.ADMIN,
        ),
        Step(
            done.permission,
            _("Ask Facebook for one-time notifications"),
            _("The fanpage's admin requests the feature once; Set-up shows where, with an image."),
            _("See how"),
            "setup",
            Permission.ADMIN,
        ),
        Step(
            done.topic,
            _("Create an OTN topic"),
            _("What will your customers agree to hear about once?"),
            _("Create a topic"),
            "topics",
        ),
        Step(
            done.request,
            _("Ask for it in a message (OTNR)"),
            _("Insert the block “+OTNR” into a chatbot message and choose the topic."),
            _("Write a message"),
            "messages",
        ),
        Step(
            done.opt_in,
            _("First opt-in"),
            _(
                "Share the message's link or keyword. Everyone who taps “Notify Me” appears here "
                "automatically."
            ),
            _("See a message's entry points"),
            "messages",
        ),
        Step(
            done.broadcast,
            _("First broadcast"),
            _("Notify the people who agreed: once, and about exactly that."),
            _("Write the first broadcast"),
            "new_broadcast",
        ),
    ]
