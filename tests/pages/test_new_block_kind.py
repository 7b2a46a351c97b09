"""What a new kind of block takes: one class, one form, a line in the registry of each; nothing else asks."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import streamlit as st
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions as broadcasts
from core.broadcasts.dashboard_queries import first_steps
from core.broadcasts.draft_warnings import warn_content
from core.broadcasts.drafts import get_draft
from core.conversation import message_files, queries
from core.conversation.actions import archive_message, save_message
from core.conversation.blocks.bubble import Bubble, Shape, taps_of
from core.conversation.blocks.button_titles import check_title, clean_title
from core.conversation.blocks.kind import BlockKind, Content
from core.conversation.blocks.links import check_link, clean_link
from core.conversation.blocks.message_file_block import FileBlock
from core.conversation.blocks.otnr import Otnr
from core.conversation.blocks.registry import KINDS
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.payloads import MESSAGE_PAYLOAD
from core.conversation.preview import bubbles_of, bubbles_of_wire
from core.conversation.replies import answer_event
from core.conversation.rules import render
from core.db.engine import reading, transaction
from core.db.tables import Reply, Request
from core.errors import Invalid, Problem, WrongState, problem
from core.messenger import message_limits, wire
from core.simulator import content as simulator
from core.simulator.behaviour import Behaviour
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_input
from pages.components.block_editor.forms.choices import add_choice, edit_choice
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.block_editor.forms.registry import FORMS
from pages.components.character_counter import show_counter
from tests.arrange import Arrange

CARDS_LIMIT = 10
TITLE_LIMIT = 80
ROSES = {"title": "Hoa hồng", "url": "https://hoa.vn/hong.jpg"}


class Carousel(BlockKind):
    """Cards beside one another, each with a picture, a title, and a button that leads to a message."""

    name = "carousel"
    fits_broadcast = True
    blank: ClassVar[Content] = {"cards": [{}]}

    def clean(self, content: Content) -> dict[str, Any]:
        return {"cards": [self._clean_card(card) for card in content.get("cards") or []]}

    def check(self, block: BlockDraft) -> list[Problem]:
        cards = block.content.get("cards") or []
        if not 1 <= len(cards) <= CARDS_LIMIT:
            return [problem("cards", "Between 1 and {limit} cards, please.", limit=CARDS_LIMIT)]
        found = []
        for place, card in enumerate(cards):
            found += check_title(f"cards.{place}.title", card.get("title"), TITLE_LIMIT)
            found += check_link(f"cards.{place}.url", card.get("url"), "A card has a picture.")
        return found

    def words(self, content: Content) -> str:
        return "\n".join(card.get("title") or "" for card in content.get("cards") or [])

    def message_ids(self, content: Content) -> set[int]:
        return {card["message_id"] for card in content.get("cards") or [] if card.get("message_id")}

    def render(self, content: Content) -> wire.Message:
        elements = [self._element(card) for card in content.get("cards") or []]
        payload = {"template_type": "generic", "elements": elements}
        return {"attachment": {"type": "template", "payload": payload}}

    def draw(self, message: wire.Message) -> list[Bubble]:
        elements = (wire.template_of(message, "generic") or {}).get("elements", [])
        return [bubble for element in elements for bubble in self._draw_element(element)]

    def read(self, given: FileBlock) -> BlockDraft:
        return BlockDraft(self.name, {**given.texts(but="cards"), "cards": given.choices("cards")})

    def _clean_card(self, card: Content) -> dict[str, Any]:
        leads = {"message_id": card["message_id"]} if card.get("message_id") else {}
        return {"title": clean_title(card), "url": clean_link(card), **leads}

    def _element(self, card: Content) -> dict[str, Any]:
        shown = {"title": card.get("title") or "", "image_url": card.get("url") or ""}
        if not card.get("message_id"):
            return shown
        payload = f"{MESSAGE_PAYLOAD}{card['message_id']}"
        return {**shown, "buttons": [{"type": "postback", "title": "Xem", "payload": payload}]}

    def _draw_element(self, element: dict[str, Any]) -> list[Bubble]:
        taps = taps_of(element.get("buttons", []))
        return [Bubble(Shape.PICTURE, element["image_url"]), Bubble(Shape.CARD, element["title"], taps)]


class Reminder(Otnr):
    """Another kind that asks for an opt-in."""

    name = "reminder"


def edit_carousel(block: Block, context: EditorContext) -> None:
    for place, card in enumerate(block["cards"]):
        edit_choice(block["cards"], place, context, context.messages, TITLE_LIMIT)
        bind_input(st.text_input, card, "url", "Picture", f"row_{card['uid']}_url", disabled=context.locked)
    add_choice(block, "cards", context, CARDS_LIMIT, "Add a card")


def edit_reminder(block: Block, context: EditorContext) -> None:
    bind_input(
        st.text_input, block, "title", "Promise", f"block_{block['uid']}_title", disabled=context.locked
    )
    show_counter(block["title"], message_limits.REQUEST_TITLE_LIMIT)


@pytest.fixture(autouse=True)
def new_kinds() -> Iterator[None]:
    """All that it takes for the product to know them, as if it had no cards yet."""
    before = [(registry, dict(registry)) for registry in (KINDS, FORMS)]
    for taken in ("card", "carousel"):
        del KINDS[taken], FORMS[taken]
    KINDS.update({kind.name: kind for kind in (Carousel(), Reminder())})
    FORMS["carousel"] = BlockForm("Carousel", "view_carousel", edit_carousel)
    FORMS["reminder"] = BlockForm("Reminder", "alarm", edit_reminder)
    yield
    for registry, kept in before:  # in their order, which tells who reads a message of the platform first
        registry.clear()
        registry.update(kept)


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    return arrange.fanpage()


def save(arrange: Arrange, fanpage: int, *blocks: BlockDraft, **more: Any) -> int:
    given = {"name": "Hoa hôm nay", "entry_points": [], "now": arrange.now, **more}
    return save_message(COMMAND_LINE, fanpage, blocks=list(blocks), **given)


def carousel(*cards: dict[str, Any]) -> BlockDraft:
    return BlockDraft("carousel", {"cards": list(cards), "uid": 7})


def html(at: AppTest) -> str:
    return " ".join(element.body for element in at.get("html") if hasattr(element, "body"))


def of(elements: Any, ending: str) -> list[Any]:
    return [element for element in elements if (element.key or "").endswith(ending)]


def test_it_is_cleaned_checked_and_kept(arrange: Arrange, fanpage: int) -> None:
    message_id = save(arrange, fanpage, carousel({**ROSES, "title": " Hoa  hồng\u200b", "stray": 1}))
    (block,) = queries.get_message(message_id).blocks
    assert (block.kind, block.content) == ("carousel", {"cards": [ROSES]})
    with pytest.raises(Invalid) as refused:
        save(arrange, fanpage, BlockDraft("text", {"text": "Chào"}), carousel({"title": "Hoa", "url": "hoa"}))
    assert [one.field for one in refused.value.problems] == ["blocks.1.cards.0.url"]


def test_the_messages_it_leads_to_are_there_and_stay(arrange: Arrange, fanpage: int) -> None:
    with pytest.raises(Invalid, match="no longer exists"):
        save(arrange, fanpage, carousel({**ROSES, "message_id": 404}))
    prices = save(arrange, fanpage, BlockDraft("text", {"text": "50.000 đ"}), name="Bảng giá")
    save(arrange, fanpage, carousel({**ROSES, "message_id": prices}))
    assert queries.leading_to(prices) == ["Hoa hôm nay"]
    with pytest.raises(WrongState, match="Hoa hôm nay"):
        archive_message(COMMAND_LINE, prices, now=arrange.now)


def test_it_is_sent_and_drawn_alike(arrange: Arrange, fanpage: int) -> None:
    content = carousel({**ROSES, "message_id": 3}).content
    message = render("carousel", content)
    simulator.check_message(message, Behaviour())
    assert bubbles_of_wire(message) == bubbles_of("carousel", content)
    assert [bubble.text for bubble in bubbles_of("carousel", content)] == [ROSES["url"], ROSES["title"]]
    save(arrange, fanpage, carousel(ROSES), entry_points=[EntryDraft("get_started")])
    lan = arrange.customer(fanpage, window_closes_at=arrange.now + timedelta(hours=1))
    assert answered(arrange, fanpage, lan) == [render("carousel", {"cards": [ROSES]})]


def answered(arrange: Arrange, fanpage: int, customer: int) -> list[Any]:
    """What the bot says to Get Started."""
    event = {"payload": "GET_STARTED", "now": arrange.now}
    with transaction() as db:
        answer_event(db, fanpage_id=fanpage, customer_id=customer, **event)
    with reading() as db:
        return list(db.exec(select(Reply.body).order_by(Reply.id)))


def test_a_message_file_holds_it(arrange: Arrange, fanpage: int) -> None:
    prices = save(arrange, fanpage, BlockDraft("text", {"text": "50.000 đ"}), name="Bảng giá")
    message_id = save(arrange, fanpage, carousel({**ROSES, "message_id": prices}))
    file = json.loads(json.dumps(message_files.to_json(queries.get_message(message_id))))
    assert file["blocks"] == [{"kind": "carousel", "cards": [{**ROSES, "message_id": prices}]}]
    draft = message_files.draft_from_json(fanpage, {**file, "name": "Lần hai"})
    again = save(arrange, fanpage, *draft.blocks, name=draft.name)
    assert queries.get_message(again).blocks == queries.get_message(message_id).blocks


def test_the_composer_writes_shows_and_changes_it(panel, arrange: Arrange, fanpage: int) -> None:
    at = panel("message", role="editor")
    of(at.text_input, "_name")[0].input("Hoa hôm nay").run()
    at.button(key="block_add_carousel").click().run()
    of(at.text_input, "_title")[0].input("Hoa hồng").run()
    at.button(key="message_publish").click().run()
    assert "A card has a picture." in html(at)
    of(at.text_input, "_url")[0].input(ROSES["url"]).run()
    assert f'<img src="{ROSES["url"]}"' in html(at)
    at.button(key="message_publish").click().run()
    at.button(key="publish_silent_confirm").click().run()
    assert not at.exception
    (view,) = queries.list_messages(fanpage)
    assert view.blocks[0].content == {"cards": [ROSES]}

    at = panel("message", role="admin", id=view.id)
    of(at.button, "_row_add")[0].click().run()
    of(at.text_input, "_title")[1].input("Hoa mai").run()
    of(at.text_input, "_url")[1].input("https://hoa.vn/mai.jpg").run()
    at.button(key="message_publish").click().run()
    at.button(key="publish_silent_confirm").click().run()
    assert [card["title"] for card in queries.get_message(view.id).blocks[0].content["cards"]] == [
        "Hoa hồng",
        "Hoa mai",
    ]
    assert "Hoa hôm nay" in html(panel("messages", role="viewer"))


def test_a_broadcast_may_be_one(panel, arrange: Arrange, fanpage: int) -> None:
    topic, content = arrange.topic(fanpage), {"kind": "carousel", "cards": [ROSES]}
    made = broadcasts.create_broadcast(COMMAND_LINE, topic_id=topic, content=content, now=arrange.now)
    assert get_draft(made).content == content
    loud = {"kind": "carousel", "cards": [{**ROSES, "title": "HOA HỒNG!!!"}]}
    assert [one.field for one in warn_content(loud, [])] == ["text"]
    blank = broadcasts.create_broadcast(COMMAND_LINE, topic_id=topic, now=arrange.now)
    at = panel("new_broadcast", id=blank, step="what")
    at.segmented_control(key=f"broadcast_{blank}_kind").select("carousel").run()
    of(at.text_input, "_title")[0].input("Hoa hồng").run()
    of(at.text_input, "_url")[0].input(ROSES["url"]).run()
    assert not at.exception
    assert get_draft(blank).content == content


def test_a_broadcast_may_not_be_one_that_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, panel, arrange: Arrange, fanpage: int
) -> None:
    monkeypatch.setattr(Carousel, "fits_broadcast", False)
    topic, content = arrange.topic(fanpage), {"kind": "carousel", "cards": [ROSES]}
    with pytest.raises(Invalid, match="A broadcast is"):
        broadcasts.create_broadcast(COMMAND_LINE, topic_id=topic, content=content, now=arrange.now)
    blank = broadcasts.create_broadcast(COMMAND_LINE, topic_id=topic, now=arrange.now)
    at = panel("new_broadcast", id=blank, step="what")
    assert "Carousel" not in at.segmented_control(key=f"broadcast_{blank}_kind").options


def test_another_kind_that_asks_for_an_opt_in_is_recorded_as_a_request(
    panel, arrange: Arrange, fanpage: int
) -> None:
    asks = BlockDraft("reminder", {"title": "Nhắc tôi khi mở bán"}, arrange.topic(fanpage))
    assert not first_steps(fanpage).request
    message_id = save(arrange, fanpage, asks, entry_points=[EntryDraft("get_started")])
    assert first_steps(fanpage).request
    lan = arrange.customer(fanpage, window_closes_at=arrange.now + timedelta(hours=1))
    (body,) = answered(arrange, fanpage, lan)
    with reading() as db:
        request = db.exec(select(Request)).one()
    assert (request.title, request.topic_id) == ("Nhắc tôi khi mở bán", asks.topic_id)
    assert body == wire.one_time_request(request.title, request.payload)
    at = panel("message", id=message_id)
    assert not at.exception
    assert at.toggle(key="preview_tapped")
