"""Other broadcasts that are scheduled on the same topic: they would use the same opt-ins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.broadcasts.dashboard_queries import Clash
from core.broadcasts.drafts import Draft
from core.broadcasts.filter_queries import count_left_after
from core.clock import utc_now
from pages.components.markdown import escape_markdown
from pages.components.texts import _, n_, when


def say_clashes(clashes: Sequence[Clash]) -> None:
    """Said as soon as the topic is chosen, before anything is written."""
    for clash in clashes:
        st.warning(
            _(
                "“{name}” is scheduled for the same topic on {when}. Whichever starts first uses "
                "the opt-ins; the other one only reaches those who agreed more than once.",
                name=escape_markdown(clash.name),
                when=when(clash.due_at),
            ),
            icon=":material/call_split:",
        )


def say_what_is_left(clashes: Sequence[Clash], draft: Draft, start: datetime) -> None:
    """How many the later of two would find, in numbers; at the check, since it takes a while to count."""
    now = utc_now()
    for clash in clashes:
        name, due = escape_markdown(clash.name), when(clash.due_at)
        if clash.due_at is not None and clash.due_at < start:
            people = count_left_after(draft.topic_id, clash.filters, draft.filters, now=now)
            words = n_(
                "“{name}” on the same topic starts earlier, {when}. This broadcast would then "
                "reach {n} person.",
                "“{name}” on the same topic starts earlier, {when}. This broadcast would then "
                "reach {n} people.",
                people,
                name=name,
                when=due,
            )
        else:
            people = count_left_after(draft.topic_id, draft.filters, clash.filters, now=now)
            words = n_(
                "Your broadcast “{name}” on the same topic ({when}) would then reach {n} person.",
                "Your broadcast “{name}” on the same topic ({when}) would then reach {n} people.",
                people,
                name=name,
                when=due,
            )
        st.warning(words, icon=":material/call_split:")
