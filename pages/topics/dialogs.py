"""The dialogs of topics: new, edit, archive, restore."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.topic_queries import TopicProgress
from core.clock import utc_now
from core.consent import actions
from core.consent.queries import TopicView
from pages.components.dialogs import confirm, dialog, run_and_close
from pages.components.session import current, flash
from pages.components.texts import _, n_


def draw_new_dialog(fanpage_id: int) -> None:
    """Asks for a name and creates the topic."""

    def body() -> None:
        _fields("topic_new", "", "")
        _save("topic_new", lambda: _create(fanpage_id))

    dialog("topic_new", _("New topic"), body)


def draw_edit_dialog(topic: TopicView) -> None:
    """Changes the name of the topic."""

    def body() -> None:
        _fields("topic_edit", topic.name, topic.description)
        _save("topic_edit", lambda: _change(topic.id), done=_("Saved."))

    dialog("topic_edit", _("Edit topic"), body)


def draw_archive_dialog(topic: TopicView, progress: TopicProgress) -> None:
    """Archives the topic after saying what that means for its opt-ins."""
    sentences = [
        _("It leaves the list of topics and can no longer be chosen for messages and broadcasts."),
        n_(
            "{n} opt-in that may still be used is kept, and so is its year.",
            "{n} opt-ins that may still be used are kept, and so is their year.",
            topic.available,
        ),
    ]
    if progress.messages:
        names = ", ".join(f"“{message.name}”" for message in progress.messages[:3])
        sentences.append(
            _("These messages still ask customers to agree to it: {names}. Change them first.", names=names)
        )
    by = current().actor
    confirm(
        "topic_archive",
        _("Archive “{name}”?", name=topic.name),
        "\n\n".join(sentences),
        _("Archive"),
        lambda: actions.archive_topic(by, topic.id, now=utc_now()),
        done=_("The topic is archived."),
    )


def _fields(key: str, name: str, description: str) -> None:
    st.text_input(
        _("Topic name"),
        value=name,
        key=f"{key}_name",
        placeholder=_("e.g. New product offers"),
        help=_("Only your team sees this name. Customers see the promise you write in the message."),
    )
    st.text_area(
        _("Note for your team (optional)"),
        value=description,
        key=f"{key}_description",
        height=96,
        placeholder=_("What may be sent about it, and what may not"),
    )


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


def _create(fanpage_id: int) -> None:
    made = actions.create_topic(current().actor, fanpage_id, **_typed("topic_new"), now=utc_now())
    st.query_params["id"] = str(made)
    flash(_("The topic is saved. Next: let customers agree to it."))


def _change(topic_id: int) -> None:
    actions.edit_topic(current().actor, topic_id, **_typed("topic_edit"), now=utc_now())
