"""Asking for approval on the step "Check", and who sees it on the overview."""

from __future__ import annotations

from core.broadcasts.approval_queries import list_approval_requests
from core.clock import utc_now
from core.consent.queries import get_topic
from tests.pages.broadcasts import a_draft
from tests.pages.conftest import Panel
from tests.pages.shown import all_words, keys


def test_an_editor_asks_and_a_sender_sees_it_on_the_overview(panel: Panel, topic_id: int) -> None:
    broadcast_id = a_draft(topic_id)
    at = panel("new_broadcast", role="editor", id=broadcast_id, step="check")
    assert at.button(key="broadcast_ask_approval").disabled  # the promise is not confirmed yet
    at.checkbox(key=f"broadcast_{broadcast_id}_tick").check().run()
    at.button(key="broadcast_ask_approval").click().run()
    fanpage_id = get_topic(topic_id, now=utc_now()).fanpage_id
    (asked,) = list_approval_requests(fanpage_id)
    assert asked.asked_by == "editor.new.broadcast"
    assert "broadcast_ask_approval" not in keys(at.button)
    words = r"editor\.new\.broadcast asks for approval of a broadcast"
    assert words in all_words(panel("overview", role="sender"))
    assert words not in all_words(panel("overview", role="viewer"))
