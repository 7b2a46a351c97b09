"""What the fanpage's rules ask of a launch, and who changed what of the draft."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.broadcasts.approval_actions import ask_for_approval
from core.broadcasts.drafts import Draft
from core.broadcasts.launch_rules import WROTE_LAST, wrote_last
from core.broadcasts.quiet_hours import quiet_until
from core.clock import utc_now
from core.errors import N_
from core.fanpages.queries import FanpageView
from pages.broadcasts.new import conflict
from pages.components.session import Current, attempt, flash
from pages.components.texts import _, ago, when, who


def say_quiet_time(draft: Draft, fanpage: FanpageView, now: datetime) -> None:
    """When it starts in quiet hours or on a day off, the moment at which it really does."""
    start = draft.due_at or now
    until = quiet_until(fanpage.launch_rules, fanpage.timezone, start)
    if until is None:
        return
    words = _("That is in this fanpage's quiet hours or on a day off: it will start {when}.")
    st.warning(words.format(when=when(until, fanpage.timezone)), icon=":material/bedtime:")
    ends = draft.best_before_at(now)
    if ends is not None and ends <= until:
        st.error(
            _("By then the send-by time has passed, so nothing would be sent."), icon=":material/timer_off:"
        )


def draw_changes(draft: Draft) -> None:
    """Who changed which part last, the latest first."""
    if not draft.changes:
        return
    with st.expander(_("Who changed what"), icon=":material/history:"):
        for change in reversed(draft.changes):
            part = _(conflict.KIND.labels.get(change.field, N_("Back to draft")))
            st.text(f"{when(change.at)} · {who(change.by)} · {part}")


def draw_ask(here: Current, draft: Draft, missing: str | None) -> None:
    """The button by which those who may launch are asked; afterwards who asked, and when."""
    with st.container(key="check_launch", gap="small"):
        if draft.asked_at is not None:
            words = _(
                "{who} asked for approval, {when}. Everyone who can launch it sees this on the overview."
            )
            st.caption(words.format(who=who(draft.asked_by), when=ago(draft.asked_at)))
            if draft.asked_by == here.actor.name:
                return
        if missing:
            st.caption(missing)
        st.button(
            _("Ask for approval"),
            key="broadcast_ask_approval",
            type="primary",
            icon=":material/approval:",
            disabled=bool(missing),
            width="stretch",
            on_click=_ask,
            args=(here, draft),
        )


def _ask(here: Current, draft: Draft) -> None:
    def ask() -> None:
        ask_for_approval(here.actor, draft.id, version=draft.version, now=utc_now())

    error, _nothing = attempt(ask)
    if error:
        flash(error, icon=":material/error:")
    else:
        flash(_("Asked for approval. Everyone who can launch it sees this on the overview."))


def needs_another(here: Current, draft: Draft, fanpage: FanpageView) -> str | None:
    """Why whoever looks at it cannot approve this version; None when they can."""
    if not fanpage.launch_rules.needs_second_person:
        return None
    is_own = wrote_last(here.actor.name, draft.changes, draft.created_by)
    return _(WROTE_LAST) if is_own else None
