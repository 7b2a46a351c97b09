"""The languages of a message in the composer: adding one, going from one to another, taking one away."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.rules import COMMAND_LINE
from core.conversation import draft_actions
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.translation_actions import add_translation
from core.conversation.translation_queries import list_languages
from tests.arrange import Arrange


@pytest.fixture
def message(arrange: Arrange) -> int:
    return save_message(
        COMMAND_LINE,
        arrange.fanpage(),
        name="Chào",
        blocks=[BlockDraft("text", {"text": "Chào bạn", "fallback": ""})],
        entry_points=[EntryDraft("get_started")],
        now=arrange.now,
    )


def keys(at: AppTest) -> set[str]:
    return {element.key for element in (*at.button, *at.text_input, *at.text_area) if element.key}


def shown(at: AppTest) -> int:
    """The message in the address."""
    found = at.query_params["id"]
    return int(found[0] if isinstance(found, list) else found)


def words_of(at: AppTest) -> Any:
    (found,) = [each for each in at.text_area if (each.key or "").endswith("_text")]
    return found


def test_a_language_is_added_translated_and_published(panel, message: int) -> None:
    at = panel("message", role="editor", id=message)
    assert not [key for key in keys(at) if key.startswith("message_language_") and "add" not in key]
    only = "All customers get this text, whatever their language."
    assert only in [each.value for each in at.caption]
    at.button(key="message_language_add_en").click().run()
    assert not at.exception
    assert only not in [each.value for each in at.caption]
    (_original, english) = list_languages(draft_actions.get_draft(message))
    assert shown(at) == english.message_id
    assert not [
        key for key in keys(at) if key.startswith("message_") and key.endswith("_name")
    ]  # its message has the name,
    assert not [key for key in keys(at) if key.startswith("entry_")]  # and what starts it
    words_of(at).input("Hello").run()
    at.button(key="message_publish").click().run()
    assert not at.exception
    kept = draft_actions.get_draft(english.message_id)
    assert (kept.published, kept.blocks[0].content["text"]) == (1, "Hello")


def test_one_goes_from_one_language_to_another(panel, arrange: Arrange, message: int) -> None:
    english = add_translation(COMMAND_LINE, message, "en", now=arrange.now)
    at = panel("message", role="editor", id=message)
    at.segmented_control(key=f"message_language_{message}").select(english).run()
    assert shown(at) == english
    assert at.segmented_control(key=f"message_language_{english}").value == english


def test_a_language_is_taken_away(panel, arrange: Arrange, message: int) -> None:
    english = add_translation(COMMAND_LINE, message, "en", now=arrange.now)
    draft_actions.publish_message(COMMAND_LINE, english, now=arrange.now)
    at = panel("message", role="editor", id=english)
    at.button(key="message_archive").click().run()
    at.button(key="archive_message_confirm").click().run()
    assert not at.exception
    assert draft_actions.get_draft(english).is_archived
    assert len(list_languages(draft_actions.get_draft(message))) == 1
    assert shown(at) == message


def test_a_viewer_looks_at_each_language_and_adds_none(panel, arrange: Arrange, message: int) -> None:
    add_translation(COMMAND_LINE, message, "en", now=arrange.now)
    at = panel("message", role="viewer", id=message)
    assert at.segmented_control(key=f"message_language_{message}").options
    assert "message_language_add_th" not in keys(at)
