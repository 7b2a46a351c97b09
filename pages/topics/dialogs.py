"""The dialogs of topics: new, edit, archive, restore."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.broadcasts import topic_archiving
from core.broadcasts.topic_archiving import Use, Uses
from core.clock import utc_now
from core.consent import actions
from core.consent.queries import TopicView, find_topic, get_counted_topic
from core.consent.rules import TOPIC_NAME_LIMIT
from pages.components.character_counter import show_counter
from pages.components.dialogs import confirm, dialog, is_open, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.session import current, flash
from pages.components.texts import _, n_

_THERE = "topic_there"  # the id of the topic that has the name of the new one


def draw_new_dialog(fanpage_id: int) -> None:
    """Asks for a name and creates the topic."""

    def body() -> None:
        _fields("topic_new", "", "")
        _offer_existing()
        with st.container(horizontal=True, horizontal_alignment="right"):
            is_first = st.session_state.get(_THERE) is None
            st.button(
                _("Save"),
                key="topic_new_save",
                type="primary" if is_first else "secondary",
                on_click=_save_new,
                args=(fanpage_id,),
            )

    dialog("topic_new", _("New topic"), body, closed=lambda: st.session_state.pop(_THERE, None))


def draw_edit_dialog(topic: TopicView) -> None:
    """Changes the name of the topic."""

    def body() -> None:
        _fields("topic_edit", topic.name, topic.description)
        _save("topic_edit", lambda: _change(topic.id), done=_("Saved."))

    dialog("topic_edit", _("Edit topic"), body)


def draw_archive_dialog(topic: TopicView) -> None:
    """Draws the dialog that archives the topic after saying what that does to each thing that uses it."""
    if not is_open("topic_archive"):
        return
    uses = topic_archiving.find_uses(topic.id)
    by = current().actor
    if uses.at_work:
        dialog(
            "topic_archive",
            _("“{name}” is being used", name=escape_markdown(topic.name)),
            lambda: _at_work(uses),
        )
        return
    confirm(
        "topic_archive",
        _("Archive “{name}”?", name=escape_markdown(topic.name)),
        "\n\n".join(_consequences(topic, uses)),
        _("Archive"),
        lambda: topic_archiving.archive_topic(by, topic.id, seen=uses, now=utc_now()),
        done=_("The topic is archived."),
    )


def _at_work(uses: Uses) -> None:
    st.markdown(
        _("It can be archived when these broadcasts have ended: {names}.", names=_names(uses.at_work))
    )


def _consequences(topic: TopicView, uses: Uses) -> list[str]:
    kept = n_(
        "{n} opt-in that can still be used is kept until its year is over.",
        "{n} opt-ins that can still be used are kept until their year is over.",
        topic.available,
    )
    told = [_("It leaves the list of topics and can no longer be chosen for messages and broadcasts."), kept]
    if uses.asking:
        words = _("These messages no longer ask about it; the rest of each message stays: {names}.")
        told.append(words.format(names=_names(uses.asking)))
    if uses.only_asking:
        words = _("These messages only ask about this topic, so they are archived, too: {names}.")
        told.append(words.format(names=_names(uses.only_asking)))
    if uses.scheduled:
        words = _("These broadcasts will not be sent and go back to draft: {names}.")
        told.append(words.format(names=_names(uses.scheduled)))
    return told


def _names(uses: Sequence[Use]) -> str:
    return ", ".join(f"“{escape_markdown(use.name)}”" for use in uses)


def _fields(key: str, name: str, description: str) -> None:
    typed = st.text_input(
        _("Topic name"),
        value=name,
        key=f"{key}_name",
        placeholder=_("e.g. New product offers"),
        help=_("Only your team sees this name. Customers see the promise you write in the message."),
    )
    show_counter(typed, TOPIC_NAME_LIMIT, only_near=True)
    note = st.text_area(
        _("Note for your team (optional)"),
        value=description,
        key=f"{key}_description",
        height=96,
        placeholder=_("What may be sent about this topic, and what may not"),
    )
    show_counter(note, actions.DESCRIPTION_LIMIT, only_near=True)


def _save(key: str, action: object, done: str | None = None) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            _("Save"), key=f"{key}_save", type="primary", on_click=run_and_close, args=(key, action, done)
        )


def _typed(key: str) -> dict[str, str]:
    return {
        "name": st.session_state.get(f"{key}_name", ""),
        "description": st.session_state.get(f"{key}_description", ""),
    }


def _save_new(fanpage_id: int) -> None:
    """Saves the new topic, or offers the one that has this name already."""
    there = find_topic(fanpage_id, _typed("topic_new")["name"])
    st.session_state[_THERE] = there
    if there is None:
        run_and_close("topic_new", lambda: _create(fanpage_id))


def _offer_existing() -> None:
    topic_id = st.session_state.get(_THERE)
    if topic_id is None:
        return
    topic = get_counted_topic(topic_id, now=utc_now())
    name = escape_markdown(topic.name)
    words = _("There is already a topic called “{name}”. Use that one, or choose another name.", name=name)
    if topic.archived_at:
        words = _("The topic “{name}” is archived. Restore it, or choose another name.", name=name)
    st.info(words, icon=":material/label:")
    st.button(
        _("Restore topic") if topic.archived_at else _("Use this topic"),
        key="topic_new_use",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=run_and_close,
        args=("topic_new", lambda: _use(topic)),
    )


def _use(topic: TopicView) -> None:
    if topic.archived_at:
        actions.restore_topic(current().actor, topic.id, now=utc_now())
    _open(topic.id, _("This is the topic. Next: let customers agree to it."))


def _create(fanpage_id: int) -> None:
    made = actions.create_topic(current().actor, fanpage_id, **_typed("topic_new"), now=utc_now())
    _open(made, _("The topic is saved. Next: let customers agree to it."))


def _open(topic_id: int, told: str) -> None:
    st.query_params["id"] = str(topic_id)
    flash(told)


def _change(topic_id: int) -> None:
    actions.edit_topic(current().actor, topic_id, **_typed("topic_edit"), now=utc_now())
