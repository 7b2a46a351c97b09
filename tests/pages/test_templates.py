"""Saving as a template, beginning from one, renaming and deleting, on the pages."""

from __future__ import annotations

import re

from core.broadcasts.queries import list_broadcasts
from core.clock import utc_now
from core.consent.queries import get_topic
from core.templates.queries import TemplateView, list_templates
from core.templates.rules import TemplateKind
from tests.pages.broadcasts import a_draft
from tests.pages.conftest import Panel, an_operator, opened
from tests.pages.shown import keys


def templates(topic_id: int) -> list[TemplateView]:
    return list_templates(get_topic(topic_id, now=utc_now()).fanpage_id, TemplateKind.BROADCAST)


def saved(panel: Panel, topic_id: int) -> int:
    at = panel("new_broadcast", role="editor", id=a_draft(topic_id), step="what")
    at.button(key="template_save_open").click().run()
    at.text_input(key="template_name").input("Mùa hè").run()
    at.button(key="template_save_confirm").click().run()
    assert not at.exception
    (template,) = templates(topic_id)
    assert template.name == "Mùa hè"
    return template.id


def test_a_draft_is_saved_as_a_template_and_a_new_one_begins_from_it(panel, topic_id) -> None:
    template = saved(panel, topic_id)
    at = panel("broadcasts", role="sender")
    at.button(key="templates_open").click().run()
    at.button(key=f"template_{template}_use").click().run()
    assert not at.exception
    assert at.query_params["id"]


def test_a_draft_from_a_template_is_dated_as_its_reader_writes_dates(panel, arrange, topic_id) -> None:
    template = saved(panel, topic_id)
    at = opened(an_operator(arrange, "sender", "mai", language="vi"), page="broadcasts")
    at.button(key="templates_open").click().run()
    at.button(key=f"template_{template}_use").click().run()
    newest = max(list_broadcasts(None), key=lambda broadcast: broadcast.id)
    assert re.search(r" – \d\d/\d\d/\d{4} \d\d:\d\d$", newest.name)


def test_a_template_is_renamed_and_deleted_in_its_dialog(panel, topic_id) -> None:
    template = saved(panel, topic_id)
    at = panel("broadcasts", role="sender")
    at.button(key="templates_open").click().run()
    at.button(key=f"template_{template}_rename").click().run()
    at.text_input(key=f"template_name_{template}").input(" ").run()
    at.button(key=f"template_{template}_confirm").click().run()
    assert [error.value for error in at.error] == ["Give the template a name."]
    at.text_input(key=f"template_name_{template}").input("Mùa đông").run()
    at.button(key=f"template_{template}_confirm").click().run()
    assert [one.name for one in templates(topic_id)] == ["Mùa đông"]
    at.button(key=f"template_{template}_delete").click().run()
    at.button(key=f"template_{template}_confirm").click().run()
    assert templates(topic_id) == []
    assert not at.exception


def test_who_may_only_look_saves_no_template(panel, topic_id) -> None:
    at = panel("broadcasts", role="viewer")
    assert "templates_open" not in keys(at.button)
