"""Step 1, who: the topic, and from the first look on how many would get it and what they agreed to."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.broadcasts.actions import create_broadcast
from core.broadcasts.dashboard_queries import list_clashes
from core.broadcasts.draft_rules import NAME_LIMIT, default_name
from core.broadcasts.drafts import Draft
from core.broadcasts.readiness import find_problems
from core.broadcasts.topic_reach import get_reach
from core.clock import utc_now
from core.consent.audience_filters import EVERYBODY
from core.consent.queries import TopicView, list_counted_topics
from core.fanpages.queries import FanpageView
from core.text.normalise import normalise_name
from pages.broadcasts.new import saving
from pages.broadcasts.new.clashes import say_clashes
from pages.broadcasts.new.filters import choose_filters, choose_saving
from pages.broadcasts.new.promises import draw_promises
from pages.broadcasts.new.reach import draw_once_only, draw_people, draw_reach
from pages.components.address import asked_id
from pages.components.block_editor.fields import draw_problems
from pages.components.character_counter import show_counter
from pages.components.chosen import keep_chosen
from pages.components.layout import empty_state
from pages.components.session import Current, attempt, flash
from pages.components.texts import _, n_, when


def draw(here: Current, fanpage: FanpageView, draft: Draft | None) -> None:
    """The topic and the name; `draft` None: nothing is kept yet, and "Continue" creates the draft."""
    topics = {topic.id: topic for topic in list_counted_topics(fanpage.id, now=utc_now())}
    if not topics and draft is None:
        empty_state(
            "label",
            _("Customers have to agree to a topic first. Create one, and ask for it in a message."),
            button=_("Create a topic"),
            page="topics",
            key="broadcast_who",
        )
        return
    topic_id, name = _choose(topics, draft)
    key, began = f"broadcast_{draft.id if draft else 'new'}", saving.shown(draft) if draft else None
    chosen, saves = began.filters if began else EVERYBODY, began.saves_opt_ins if began else False
    if topic_id is not None:
        chosen = choose_filters(key, topic_id, fanpage.timezone, chosen)
        saves = choose_saving(key, saves)
    if draft is not None:
        typed = {"topic_id": topic_id or draft.topic_id, "name": name, "filters": chosen}
        kept = saving.save(here, draft, **typed, saves_opt_ins=saves)
        if saving.is_left():
            return
        topic_id, chosen, saves = kept.topic_id, kept.filters, kept.saves_opt_ins
    if topic_id is None:
        st.caption(_("Only customers who agreed to the topic you choose can get it."))
        return
    if draft is not None:
        problems = find_problems(topic_id, draft.content)
        draw_problems([one for one in problems if one.field == "topic_id"])
    say_clashes(list_clashes(topic_id, except_id=draft.revises_id or draft.id if draft else None))
    reach = get_reach(topic_id, chosen, now=utc_now())
    draw_reach(reach, saves_opt_ins=saves)
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        draw_people(reach.run, topic_id, chosen)
    with right:
        draw_promises(reach.promises)
        draw_once_only(reach.run.spends(saves_opt_ins=saves))
    if draft is None:
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button(
                _("Continue"),
                key="broadcast_begin",
                type="primary",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=_begin,
                args=(
                    here,
                    {"topic_id": topic_id, "filters": chosen, "saves_opt_ins": saves},
                    topics[topic_id].name,
                ),
            )


def _choose(topics: dict[int, TopicView], kept: Draft | None) -> tuple[int | None, str]:
    draft = saving.shown(kept) if kept else None
    key = f"broadcast_{draft.id if draft else 'new'}"
    options = list(topics)
    current = draft.topic_id if draft else asked_id("topic")
    if draft and draft.topic_id not in options:
        options.append(draft.topic_id)  # archived since
    saving.fill(f"{key}_topic", current if current in options else None)
    saving.fill(f"{key}_name", draft.name if draft else "")
    which, called = st.columns([1.6, 1], gap="large")
    topic_id = which.selectbox(
        _("OTN topic"),
        options,
        key=keep_chosen(f"{key}_topic"),
        format_func=lambda one: _label(topics.get(one)),
        placeholder=_("Choose a topic"),
    )
    name = called.text_input(
        _("Name (only your team sees it)"),
        key=f"{key}_name",
        placeholder=_("Topic and date, if left empty"),
    )
    with called:
        show_counter(name, NAME_LIMIT, only_near=True)
    if draft is None and topic_id is not None and st.query_params.get("topic") != str(topic_id):
        st.query_params["topic"] = str(topic_id)
    return topic_id, normalise_name(name) or (draft.name if draft else "")


def _label(topic: TopicView | None) -> str:
    if topic is None:
        return _("Archived topic")
    return n_("{name} – {n} person", "{name} – {n} people", topic.people, name=topic.name)


def _begin(here: Current, chosen: dict[str, Any], topic: str) -> None:
    """Create the draft; without a name of its own it is called by its topic and the present moment."""
    if asked_id() is not None:
        return  # the second click of a double click
    now = utc_now()
    name = normalise_name(st.session_state.get("broadcast_new_name", "")) or default_name(topic, when(now))
    error, made = attempt(lambda: create_broadcast(here.actor, **chosen, name=name, now=now))
    if error:
        flash(error, icon=":material/error:")
        return
    st.query_params.from_dict({"id": str(made), "step": "what"})
