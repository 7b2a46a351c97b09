"""What the fanpage's rules ask of a launch, and who changed what of the draft."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.broadcasts.drafts import Draft
from core.broadcasts.quiet_hours import quiet_until
from core.errors import N_
from core.fanpages.queries import FanpageView
from pages.broadcasts.new import conflict
from pages.components.session import Current
from pages.components.texts import _, when, who


def say_quiet_time(draft: Draft, fanpage: FanpageView, now: datetime) -> None:
    """When it starts in quiet hours or on a day off, the moment at which it really does."""
    start = draft.due_at or now
    until = quiet_until(fanpage.launch_rules, fanpage.timezone, start)
    if until is None:
        return
    words = _("That is in this fanpage's quiet hours or on a day off: it starts {when}.")
    st.warning(words.format(when=when(until, fanpage.timezone)), icon=":material/bedtime:")
    ends = draft.best_before_at(now)
    if ends is not None and ends <= until:
        st.error(
            _("By then the best-before has passed, so nothing would be sent."), icon=":material/timer_off:"
        )


def draw_changes(draft: Draft) -> None:
    """Who changed which part last, the latest first."""
    if not draft.changes:
        return
    with st.expander(_("Who changed what"), icon=":material/history:"):
        for change in reversed(draft.changes):
            part = _(conflict.KIND.labels.get(change.field, N_("Back to draft")))
            st.text(f"{when(change.at)} · {who(change.by)} · {part}")


def needs_another(here: Current, draft: Draft, fanpage: FanpageView) -> str | None:
    """Why whoever looks at it cannot approve this version; None when they can."""
    if not fanpage.launch_rules.needs_second_person:
        return None
    writers = [change.by for change in draft.changes if change.field != "name"]
    if here.actor.name != (writers[-1] if writers else draft.created_by):
        return None
    return _("You wrote this version last. On this fanpage another sender has to look at it and approve it.")
