"""Step 1, who: the topic, and from the first look on how many would get it and what they agreed to."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.actions import create_broadcast
from core.broadcasts.draft_rules import NAME_LIMIT
from core.broadcasts.drafts import Draft
from core.broadcasts.queries import dry_run
from core.broadcasts.readiness import find_problems
from core.clock import utc_now
from core.consent.queries import TopicView, list_topics
from core.text.normalise import normalise_name
from pages.broadcasts.new import saving
from pages.broadcasts.new.promises import draw_promises
from pages.broadcasts.new.reach import draw_once_only, draw_people, draw_reach
from pages.components.address import asked_id
from pages.components.block_editor.fields import draw_problems
from pages.components.counter import show_counter
from pages.components.layout import empty_state
from pages.components.session import Current, attempt, flash
from pages.components.texts import _, n_


def draw(here: Current, fanpage_id: int, draft: Draft | None) -> None:
    """The topic and the name; `draft` None: nothing is kept yet, and "Continue" creates the draft."""
    topics = {topic.id: topic for topic in list_topics(fanpage_id, now=utc_now())}
    if not topics and draft is None:
        empty_state(
            "label",
            _("Customers agree to a topic first. Create one, and let a message ask for it."),
            button=_("Create a topic"),
            page="topics",
            key="broadcast_who",
        )
        return
    topic_id = _choose(here, topics, draft)
    if topic_id is None:
        st.caption(_("Only those who agreed to the topic you choose can get it."))
        return
    if draft is not None:
        problems = find_problems(topic_id, draft.content)
        draw_problems([one for one in problems if one.field == "topic_id"])
    run = dry_run(topic_id, now=utc_now())
    draw_reach(run, topic_id)
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        draw_people(run, topic_id)
    with right:
        draw_promises(topic_id)
        draw_once_only(run)
    if draft is None:
        with st.container(horizontal=True, horizontal_alignment="right"):
            name = st.session_state.get("broadcast_new_name", "")
            st.button(
                _("Continue"),
                key="broadcast_begin",
                type="primary",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=_begin,
                args=(here, topic_id, name),
            )


def _choose(here: Current, topics: dict[int, TopicView], kept: Draft | None) -> int | None:
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
        key=f"{key}_topic",
        format_func=lambda one: _label(topics.get(one)),
        placeholder=_("Choose a topic"),
    )
    name = called.text_input(
        _("Name (only your team sees it)"),
        key=f"{key}_name",
        placeholder=_("Made of topic and date"),
    )
    with called:
        show_counter(name, NAME_LIMIT, only_near=True)
    if draft is None and topic_id is not None and st.query_params.get("topic") != str(topic_id):
        st.query_params["topic"] = str(topic_id)
    if kept is not None and draft is not None:
        topic_id, name = topic_id or draft.topic_id, normalise_name(name) or draft.name
        topic_id = saving.save(here, kept, topic_id=topic_id, name=name).topic_id
    return topic_id


def _label(topic: TopicView | None) -> str:
    if topic is None:
        return _("Archived topic")
    return n_("{name} – {n} person", "{name} – {n} people", topic.people, name=topic.name)


def _begin(here: Current, topic_id: int, name: str) -> None:
    if asked_id() is not None:
        return  # the second click of a double click
    error, made = attempt(lambda: create_broadcast(here.actor, topic_id=topic_id, name=name, now=utc_now()))
    if error:
        flash(error, icon=":material/error:")
        return
    st.query_params.from_dict({"id": str(made), "step": "what"})
