"""What the people of a topic agreed to, what the message adds to it, and the tick that it keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from core.broadcasts.draft_warnings import words_of
from core.broadcasts.drafts import Draft
from core.broadcasts.dry_run_queries import PromiseCount
from core.broadcasts.unpromised_details import find_unpromised
from core.conversation.blocks.media import MediaKind
from core.conversation.blocks.registry import find_kind
from pages.components.layout import section
from pages.components.markdown import escape_markdown
from pages.components.texts import _, n_

SHOWN = 4
_AGREED = "broadcast_agreed"  # fingerprint of what was ticked: changing topic or words takes the tick away


def draw_promises(promises: Sequence[PromiseCount]) -> None:
    """A card with the promises, the most common first."""
    with st.container(key="broadcast_promises", border=True):
        _list(promises)


def draw_promises_and_tick(draft: Draft, promises: Sequence[PromiseCount]) -> bool:
    """Draws the promises with a tick below; True once somebody confirmed that these words keep the
    promise."""
    with st.container(key="broadcast_promises", border=True):
        _list(promises)
        _draw_unpromised(words_of(draft.content), [promise.title for promise in promises])
        if isinstance(find_kind(draft.content.get("kind")), MediaKind):
            st.caption(_("Please compare what the image, video or file itself says."))
        return _tick(draft)


def _list(promises: Sequence[PromiseCount]) -> None:
    with st.container(gap="small"):
        section(_("What they agreed to"))
        if not promises:
            st.caption(_("Nobody has an opt-in for this topic right now."))
        for promise in promises[:SHOWN]:
            title = promise.title or _("Promise not recorded")
            people = n_("{n} person", "{n} people", promise.people)
            st.markdown(f"> {escape_markdown(title)}\n>\n> :gray[{people}]")
        more = sum(promise.people for promise in promises[SHOWN:])
        if more:
            st.caption(n_("and {n} person with another wording", "and {n} people with other wordings", more))


def _draw_unpromised(text: str, promises: list[str]) -> None:
    """The message with the prices, percentages, dates and links marked that stand in none of the promises."""
    added = find_unpromised(text, promises)
    if not any(promises) or not added:
        return
    marked, at = "", 0
    for detail in added:
        said = escape_markdown(text[detail.start : detail.end])
        marked += escape_markdown(text[at : detail.start]) + f":orange-background[{said}]"
        at = detail.end
    with st.container(key="broadcast_unpromised", gap="small"):
        st.caption(
            _(
                "The highlighted words appear in no promise. Make sure that they belong to what customers "
                "agreed to."
            )
        )
        lines = (marked + escape_markdown(text[at:])).splitlines()
        st.markdown("  \n".join(line or " " for line in lines))


def _tick(draft: Draft) -> bool:
    key, print_now = f"broadcast_{draft.id}_tick", _fingerprint(draft)
    st.session_state[key] = st.session_state.get(_AGREED) == print_now
    return st.checkbox(
        _("This message keeps the promise they agreed to."), key=key, on_change=_ticked, args=(key, print_now)
    )


def _ticked(key: str, print_now: str) -> None:
    st.session_state[_AGREED] = print_now if st.session_state[key] else None


def _fingerprint(draft: Draft) -> str:
    return json.dumps([draft.id, draft.topic_id, draft.content], sort_keys=True)
