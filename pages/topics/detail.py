"""One topic: who can be notified, what to do next, how far it has come."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.topic_queries import TopicProgress, topic_progress
from core.clock import utc_now
from core.consent.actions import restore_topic
from core.consent.queries import TopicView, get_counted_topic
from core.errors import N_, NotFound
from core.fanpages.queries import get_fanpage
from pages.components import page_registry
from pages.components.address import draw_not_there
from pages.components.dialogs import open_dialog
from pages.components.layout import page_header, section
from pages.components.markdown import escape_markdown
from pages.components.session import Current, do, see_fanpage
from pages.components.texts import _, n_
from pages.topics import asking, dialogs, figures, funnel

_DEEDS = {
    "topic_edit": N_(":material/edit: Edit…"),
    "topic_archive": N_(":material/archive: Archive…"),
}


def draw_topic(topic_id: int, here: Current) -> None:
    """Draws one topic: its numbers, its history, and what may be done with it."""
    now = utc_now()
    try:
        topic = get_counted_topic(topic_id, now=now)
    except NotFound:
        draw_not_there(_("This topic does not exist."), "topics", _("All topics"))
        return
    see_fanpage(topic.fanpage_id)
    progress = topic_progress(topic_id, now=now)
    page_registry.link("topics", _("All topics"), icon=":material/arrow_back:")
    _header(topic, here)
    dialogs.draw_edit_dialog(topic)
    dialogs.draw_archive_dialog(topic)
    if topic.archived_at:
        _archived(topic, here)
    figures.draw_after_a_broadcast(topic, progress)
    figures.draw_figures(topic)
    if not topic.archived_at:
        section(_("What's next"))
        _steps(topic, progress)
        asking.draw_asking(topic, here)
    funnel.draw_funnel(topic, get_fanpage(topic.fanpage_id).timezone)
    funnel.draw_wording_tests(topic)
    figures.draw_history(progress)


def _header(topic: TopicView, here: Current) -> None:
    purpose = escape_markdown(topic.description) or _("Each opt-in allows one notification about this topic.")
    slot = page_header(escape_markdown(topic.name), purpose, key="topic")
    if topic.archived_at or not here.actor.may(Permission.EDIT):
        return
    slot.menu_button(
        _("Actions"),
        ["topic_edit", "topic_archive"],
        key="topic_more",
        format_func=lambda key: _(_DEEDS[key]),
        on_click=lambda: open_dialog(st.session_state["topic_more"]),
    )
    if topic.people:
        if slot.button(_("New broadcast"), key="topic_notify", type="primary", icon=":material/campaign:"):
            page_registry.go("new_broadcast", topic=topic.id)
    elif slot.button(
        _("Let customers agree"), key="topic_ask", type="primary", icon=":material/notification_add:"
    ):
        page_registry.go("message", topic=topic.id)


def _archived(topic: TopicView, here: Current) -> None:
    st.info(_("This topic is archived: it can no longer be chosen."), icon=":material/archive:")
    if here.actor.may(Permission.EDIT) and st.button(_("Restore"), key="topic_restore"):
        done = _("The topic is back in use.")
        if do(lambda: restore_topic(here.actor, topic.id, now=utc_now()), done=done):
            st.rerun()


def _steps(topic: TopicView, progress: TopicProgress) -> None:
    made, ask, notify = st.columns(3)
    with made.container(border=True, height="stretch"):
        _step(True, _("1. Topic created"), _("Your team can choose it in messages and broadcasts."))
    with ask.container(border=True, height="stretch"):
        text = _("Insert “+OTNR” into a message, write what you promise, and choose this topic.")
        if progress.messages:
            text = _("Customers are asked in these messages:")
        _step(bool(progress.messages), _("2. Let customers agree"), text)
        for message in progress.messages[:5]:
            page_registry.link("message", message.name, icon=":material/forum:", id=message.id)
        words = _("New message") if progress.messages else _("Write the message")
        page_registry.link("message", words, icon=":material/add:", topic=topic.id)
    with notify.container(border=True, height="stretch"):
        text = _("As soon as a customer agrees, you can send them one broadcast.")
        if topic.people:
            text = n_(
                "{n} customer is waiting to hear from you. Send exactly what you promised.",
                "{n} customers are waiting to hear from you. Send exactly what you promised.",
                topic.people,
            )
        _step(topic.spent > 0, _("3. Notify them once"), text)
        if topic.people:
            page_registry.link(
                "new_broadcast", _("New broadcast"), icon=":material/campaign:", topic=topic.id
            )


def _step(is_done: bool, title: str, text: str) -> None:
    icon = ":green[:material/check_circle:]" if is_done else ":gray[:material/radio_button_unchecked:]"
    st.markdown(f"{icon} **{title}**")
    st.markdown(text)
