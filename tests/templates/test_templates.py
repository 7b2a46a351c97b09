"""A template is a copy: what becomes of the original does not change it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions as broadcasts
from core.broadcasts.drafts import get_draft
from core.consent.audience_filters import AudienceFilters
from core.conversation import draft_actions
from core.conversation.drafts import BlockDraft, EntryDraft, MessageDraft
from core.conversation.versions import Draft
from core.errors import Invalid, NotFound
from core.templates import actions
from core.templates.queries import list_templates
from core.templates.rules import NAME_LIMIT, TemplateKind
from tests.arrange import Arrange

TEXT = {"kind": "text", "text": "Hàng mới đã về!", "fallback": ""}


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    return arrange.fanpage()


def a_broadcast(arrange: Arrange, fanpage: int) -> int:
    return broadcasts.create_broadcast(
        COMMAND_LINE,
        topic_id=arrange.topic(fanpage),
        content=TEXT,
        name="Tết",
        due_at=arrange.now + timedelta(days=2),
        filters=AudienceFilters(wrote_days=30),
        saves_opt_ins=True,
        now=arrange.now,
    )


def begun_from(template: int, arrange: Arrange) -> Draft:
    return draft_actions.get_draft(actions.begin_message(COMMAND_LINE, template, now=arrange.now))


def names(fanpage: int, kind: TemplateKind) -> list[str]:
    return [each.name for each in list_templates(fanpage, kind)]


def test_a_broadcast_begins_from_a_template_with_all_but_its_times(arrange: Arrange, fanpage: int) -> None:
    source = a_broadcast(arrange, fanpage)
    kept = get_draft(source)
    template = actions.save_broadcast(COMMAND_LINE, source, name=" Khuyến mãi ", now=arrange.now)
    broadcasts.delete_draft(COMMAND_LINE, source, now=arrange.now)
    begun = get_draft(actions.begin_broadcast(COMMAND_LINE, template, now=arrange.now))
    assert (begun.topic_id, begun.content, begun.filters) == (kept.topic_id, TEXT, kept.filters)
    assert begun.saves_opt_ins
    assert (begun.state, begun.due_at, begun.version) == ("draft", None, 1)
    assert names(fanpage, TemplateKind.BROADCAST) == ["Khuyến mãi"]
    assert names(fanpage, TemplateKind.MESSAGE) == []


def test_a_message_begins_from_a_template_without_entry_points(arrange: Arrange, fanpage: int) -> None:
    written = MessageDraft("Chào", [BlockDraft("text", {"text": "Chào"})], [EntryDraft("get_started")])
    source = draft_actions.create_draft(COMMAND_LINE, fanpage, written, now=arrange.now)
    template = actions.save_message(COMMAND_LINE, source.id, name="Chào", now=arrange.now)
    begun = [begun_from(template, arrange) for _each in range(2)]
    assert [draft.name for draft in begun] == ["Chào (2)", "Chào (3)"]
    assert [block.content["text"] for block in begun[0].blocks] == ["Chào"]
    assert (begun[0].entry_points, begun[0].published) == ([], 0)


def test_a_template_is_renamed_and_deleted(arrange: Arrange, fanpage: int) -> None:
    template = actions.save_broadcast(COMMAND_LINE, a_broadcast(arrange, fanpage), name="A", now=arrange.now)
    actions.rename_template(COMMAND_LINE, template, name="B", now=arrange.now)
    assert names(fanpage, TemplateKind.BROADCAST) == ["B"]
    actions.delete_template(COMMAND_LINE, template, now=arrange.now)
    assert names(fanpage, TemplateKind.BROADCAST) == []
    with pytest.raises(NotFound):
        actions.begin_broadcast(COMMAND_LINE, template, now=arrange.now)


@pytest.mark.parametrize("name", ["", "  ", "x" * (NAME_LIMIT + 1)])
def test_a_template_needs_a_name_that_fits(arrange: Arrange, fanpage: int, name: str) -> None:
    with pytest.raises(Invalid):
        actions.save_broadcast(COMMAND_LINE, a_broadcast(arrange, fanpage), name=name, now=arrange.now)


def test_what_is_a_template_of_a_message_begins_no_broadcast(arrange: Arrange, fanpage: int) -> None:
    source = draft_actions.create_draft(COMMAND_LINE, fanpage, MessageDraft("Chào", [], []), now=arrange.now)
    template = actions.save_message(COMMAND_LINE, source.id, name="Chào", now=arrange.now)
    with pytest.raises(NotFound):
        actions.begin_broadcast(COMMAND_LINE, template, now=arrange.now)


def test_templates_belong_to_their_fanpage(arrange: Arrange, fanpage: int) -> None:
    actions.save_broadcast(COMMAND_LINE, a_broadcast(arrange, fanpage), name="A", now=arrange.now)
    assert names(arrange.fanpage("B"), TemplateKind.BROADCAST) == []
