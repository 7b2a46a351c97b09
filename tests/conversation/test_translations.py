"""A message in further languages: who gets which, and what becomes of them with their message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.conversation import actions, draft_actions, queries
from core.conversation.asking_again import ask_by_rule
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.message_files import draft_from_json, to_json
from core.conversation.payloads import ASK_PAYLOAD
from core.conversation.replies import (
    answer_comment,
    answer_event,
    answer_with_message,
    ask_again,
    begin_answer,
    find_comment_entry,
)
from core.conversation.translation_actions import add_translation
from core.db.engine import reading, transaction
from core.db.tables import Activity, Customer, Message, OptIn, Reply, Request, Topic
from core.errors import Invalid, WrongState
from tests.arrange import Arrange

MAI = Actor(None, "mai", Role.EDITOR)
PRICE = EntryDraft("keyword", "contains", "giá")
COMMENT = EntryDraft("comment", "any")
PROMISE, ENGLISH_PROMISE = "Báo tôi khi mở bán", "Tell me when the sale begins"


class Shop:
    """A fanpage that answers "giá" with a text and an OTNR, in Vietnamese and in English."""

    def __init__(self, arrange: Arrange) -> None:
        self.arrange, self.now = arrange, arrange.now
        self.fanpage = arrange.fanpage()
        self.topic = arrange.topic(self.fanpage)
        self.message = actions.save_message(
            MAI,
            self.fanpage,
            name="Giá",
            blocks=self.blocks("Giá 10", PROMISE),
            entry_points=[PRICE, COMMENT],
            translations={"en": self.blocks("It costs 10", ENGLISH_PROMISE)},
            now=self.now,
        )

    def blocks(self, text: str, promise: str) -> list[BlockDraft]:
        asks = BlockDraft("otnr", {"title": promise, "after": ""}, self.topic)
        return [BlockDraft("text", {"text": text, "fallback": ""}), asks]

    def customer(self, locale: str | None, **more: object) -> int:
        values = {"window_closes_at": self.now + timedelta(hours=1), "profile_at": self.now, **more}
        return self.arrange.customer(self.fanpage, locale=locale, **values)

    def hears(self, customer_id: int, words: str = "giá") -> list[str]:
        """What is queued for a customer who writes this."""
        with transaction() as db:
            event = {"fanpage_id": self.fanpage, "customer_id": customer_id, "now": self.now}
            answer_event(db, text=words, **event)
        return said_to(customer_id)


def said_to(customer_id: int) -> list[str]:
    with reading() as db:
        rows = db.exec(select(Reply).where(Reply.customer_id == customer_id).order_by(Reply.id))
        return [row.body.get("text") or row.body["attachment"]["payload"]["title"] for row in rows]


@pytest.fixture
def shop(arrange: Arrange) -> Shop:
    return Shop(arrange)


def translation_of(message_id: int) -> int:
    with reading() as db:
        return db.exec(select(Message.id).where(Message.translation_of_id == message_id)).one()


@pytest.mark.parametrize("locale", ["en_US", "en_GB", "en", "en-AU"])
def test_a_customer_gets_the_message_in_their_language(shop: Shop, locale: str) -> None:
    assert shop.hears(shop.customer(locale)) == ["It costs 10", ENGLISH_PROMISE]


@pytest.mark.parametrize("locale", ["vi_VN", "th_TH", "enx_US", "", None])
def test_any_other_customer_gets_the_message_itself(shop: Shop, locale: str | None) -> None:
    assert shop.hears(shop.customer(locale)) == ["Giá 10", PROMISE]


def test_a_request_belongs_to_the_message_in_whatever_language_it_asks(shop: Shop) -> None:
    shop.hears(shop.customer("en_US"))
    with reading() as db:
        request = db.exec(select(Request)).one()
    assert (request.message_id, request.title) == (shop.message, ENGLISH_PROMISE)


def test_a_button_a_private_reply_and_asking_again_reach_the_translation(shop: Shop) -> None:
    by_button, by_comment, again = (shop.customer("en_US") for _ in range(3))
    shop.arrange.opt_in(shop.topic, again, fanpage_id=shop.fanpage, state="spent")
    with transaction() as db:
        db.get_one(Topic, shop.topic).asks_again = True
        answer_with_message(db, shop.fanpage, by_button, shop.message, shop.now)
        entry = find_comment_entry(db, shop.fanpage, "đẹp quá")
        assert entry is not None
        whom = {"fanpage_id": shop.fanpage, "customer_id": by_comment, "comment_id": "1_2"}
        answer_comment(db, entry, at=shop.now, now=shop.now, **whom)
        (asked,) = ask_by_rule(db, shop.fanpage, again, shop.now)
    assert said_to(by_button) == ["It costs 10", ENGLISH_PROMISE]
    assert said_to(by_comment) == ["It costs 10"]
    assert asked[1]["attachment"]["payload"]["title"] == ENGLISH_PROMISE


def test_where_the_translation_does_not_ask_the_message_itself_asks_again(shop: Shop) -> None:
    english = draft_actions.get_draft(translation_of(shop.message))
    draft_actions.keep_draft(MAI, replace(english, blocks=english.blocks[:1]), began=english, now=shop.now)
    draft_actions.publish_message(MAI, english.id, now=shop.now)
    customer = shop.customer("en_US")
    shop.arrange.opt_in(shop.topic, customer, fanpage_id=shop.fanpage, state="spent")
    with transaction() as db:
        db.get_one(Topic, shop.topic).asks_again = True
        (asked,) = ask_by_rule(db, shop.fanpage, customer, shop.now)
    assert asked[1]["attachment"]["payload"]["title"] == PROMISE


def test_a_translation_is_sent_once_it_is_published(shop: Shop) -> None:
    thai = add_translation(MAI, shop.message, "th", now=shop.now)
    assert add_translation(MAI, shop.message, "th", now=shop.now) == thai
    draft = draft_actions.get_draft(thai)
    assert (draft.name, [block.kind for block in draft.blocks]) == ("Giá (th)", ["text", "otnr"])
    assert shop.hears(shop.customer("th_TH"))[0] == "Giá 10"
    words = [BlockDraft("text", {"text": "ราคา 10", "fallback": ""})]
    draft_actions.keep_draft(MAI, replace(draft, blocks=words), began=draft, now=shop.now)
    assert draft_actions.publish_message(MAI, thai, now=shop.now) == 1
    assert shop.hears(shop.customer("th_TH")) == ["ราคา 10"]
    assert queries.get_message(shop.message).languages == ("en", "th")


def test_a_translation_waits_for_its_message_to_be_published(shop: Shop) -> None:
    draft = actions.copy_message(MAI, shop.message, now=shop.now)
    english = translation_of(draft)
    assert draft_actions.get_draft(english).name == "Giá (2) (en)"
    with pytest.raises(Invalid, match="first language"):
        draft_actions.publish_message(MAI, english, now=shop.now)
    draft_actions.delete_draft(MAI, draft, now=shop.now)
    with reading() as db:
        assert db.get(Message, english) is None


def test_a_translation_has_no_entry_points_and_its_messages_name(shop: Shop) -> None:
    english = draft_actions.get_draft(translation_of(shop.message))
    wanted = replace(english, name="Price", entry_points=[EntryDraft("keyword", "contains", "price")])
    kept = draft_actions.keep_draft(MAI, wanted, began=english, now=shop.now)
    assert (kept.name, kept.entry_points) == ("Giá (en)", [])
    message = draft_actions.get_draft(shop.message)
    draft_actions.keep_draft(MAI, replace(message, name="Bảng giá"), began=message, now=shop.now)
    assert draft_actions.get_draft(english.id).name == "Bảng giá (en)"


def test_lists_buttons_and_topics_know_the_message_only(shop: Shop) -> None:
    assert [each.id for each in queries.list_messages(shop.fanpage)] == [shop.message]
    assert list(queries.message_names(shop.fanpage)) == [shop.message]
    english = translation_of(shop.message)
    leads = BlockDraft("buttons", {"text": "Xem", "buttons": [{"title": "Giá", "message_id": english}]})
    with pytest.raises(Invalid, match="no longer exists"):
        actions.save_message(MAI, shop.fanpage, name="Menu", blocks=[leads], entry_points=[], now=shop.now)


def test_a_language_is_taken_away_and_comes_back_as_it_was(shop: Shop) -> None:
    english = translation_of(shop.message)
    actions.archive_message(MAI, english, now=shop.now)
    assert shop.hears(shop.customer("en_US"))[0] == "Giá 10"
    assert add_translation(MAI, shop.message, "en", now=shop.now) == english
    assert shop.hears(shop.customer("en_US"))[0] == "It costs 10"


def test_a_message_is_archived_and_brought_back_with_its_languages(shop: Shop) -> None:
    thai = add_translation(MAI, shop.message, "th", now=shop.now)
    actions.archive_message(MAI, thai, now=shop.now - timedelta(days=1))
    english = translation_of_language(shop.message, "en")
    actions.archive_message(MAI, shop.message, now=shop.now)
    with pytest.raises(WrongState, match="first language"):
        draft_actions.bring_back(MAI, english, now=shop.now)
    draft_actions.bring_back(MAI, shop.message, now=shop.now)
    assert not draft_actions.get_draft(english).is_archived
    assert draft_actions.get_draft(thai).is_archived


def translation_of_language(message_id: int, language: str) -> int:
    with reading() as db:
        chosen = select(Message.id).where(Message.translation_of_id == message_id)
        return db.exec(chosen.where(Message.language == language)).one()


def test_a_message_leads_to_itself_in_each_language_and_is_archived_all_the_same(shop: Shop) -> None:
    english = draft_actions.get_draft(translation_of(shop.message))
    again = BlockDraft("buttons", {"text": "?", "buttons": [{"title": "Again", "message_id": shop.message}]})
    draft_actions.keep_draft(MAI, replace(english, blocks=[again]), began=english, now=shop.now)
    draft_actions.publish_message(MAI, english.id, now=shop.now)
    actions.archive_message(MAI, shop.message, now=shop.now)
    assert draft_actions.get_draft(shop.message).is_archived


@pytest.mark.parametrize("language", ["EN", "english", "e", "", "en_US"])
def test_a_language_is_a_code(shop: Shop, language: str) -> None:
    with pytest.raises(Invalid, match="no language"):
        add_translation(MAI, shop.message, language, now=shop.now)


def test_a_translation_is_not_translated(shop: Shop) -> None:
    with pytest.raises(WrongState, match="translation itself"):
        add_translation(MAI, translation_of(shop.message), "th", now=shop.now)


def test_adding_a_language_is_in_the_activity_log(shop: Shop) -> None:
    add_translation(MAI, shop.message, "th", now=shop.now)
    with reading() as db:
        log = db.exec(select(Activity).where(Activity.verb == "message.translate")).one()
    assert (log.subject, log.actor) == ("Giá (th)", "mai")


def test_a_file_holds_every_language(shop: Shop) -> None:
    view = queries.get_message(shop.message)
    written = to_json(view, queries.get_translations(view))
    assert written["translations"]["en"][0]["text"] == "It costs 10"
    actions.archive_message(MAI, shop.message, now=shop.now)
    draft = draft_from_json(shop.fanpage, written)
    made = actions.save_message(
        COMMAND_LINE,
        shop.fanpage,
        name=draft.name,
        blocks=draft.blocks,
        entry_points=draft.entry_points,
        translations=draft.translations,
        now=shop.now,
    )
    view = queries.get_message(made)
    assert {**to_json(view, queries.get_translations(view)), "id": shop.message} == written


@pytest.mark.parametrize("translations", [["en"], {"English": []}, {"en": "Chào"}, {"en": ["Chào"]}])
def test_what_is_wrong_with_a_files_translations_is_said(shop: Shop, translations: object) -> None:
    with pytest.raises(Invalid):
        draft_from_json(shop.fanpage, {"name": "Chào", "blocks": [], "translations": translations})


def test_what_a_translation_lacks_is_said_by_its_language(shop: Shop) -> None:
    empty = BlockDraft("text", {"text": "", "fallback": ""})
    with pytest.raises(Invalid) as refused:
        actions.save_message(
            MAI,
            shop.fanpage,
            name="Chào",
            blocks=shop.blocks("Chào", PROMISE),
            entry_points=[],
            translations={"en": [empty]},
            now=shop.now,
        )
    assert refused.value.problems[0].field == "translations.en.blocks.0.text"
    with reading() as db:
        assert db.exec(select(Message.name).where(Message.name == "Chào")).all() == []


def test_a_customer_nobody_was_asked_about_is_answered_when_their_language_is_known(shop: Shop) -> None:
    """The row that waits says nothing itself; an answer after it waits behind it."""
    plain = [BlockDraft("text", {"text": "Ở quận 1", "fallback": ""})]
    where = [EntryDraft("keyword", "contains", "ở đâu")]
    actions.save_message(MAI, shop.fanpage, name="Địa chỉ", blocks=plain, entry_points=where, now=shop.now)
    customer = shop.customer(None, profile_at=None)
    for words in ("ở đâu", "giá", "ở đâu"):
        with transaction() as db:
            event = {"fanpage_id": shop.fanpage, "customer_id": customer, "now": shop.now}
            assert answer_event(db, text=words, **event) == 1
    with reading() as db:
        rows = db.exec(select(Reply).order_by(Reply.id)).all()
        assert db.exec(select(OptIn)).all() == db.exec(select(Request)).all() == []
    assert [row.body for row in rows] == [{"text": "Ở quận 1"}, {}, {}]
    assert [row.begins_with["value"] for row in rows[1:]] == ["giá", "ở đâu"]


def test_what_follows_a_waiting_answer_waits_behind_it_also_when_the_language_gets_known(shop: Shop) -> None:
    """Nor does the topic's rule ask meanwhile: the answer that waits may ask itself."""
    plain = [BlockDraft("text", {"text": "Ở quận 1", "fallback": ""})]
    where = [EntryDraft("keyword", "contains", "ở đâu")]
    actions.save_message(MAI, shop.fanpage, name="Địa chỉ", blocks=plain, entry_points=where, now=shop.now)
    customer = shop.customer(None, profile_at=None)
    shop.arrange.opt_in(shop.topic, customer, fanpage_id=shop.fanpage, state="spent")
    event = {"fanpage_id": shop.fanpage, "customer_id": customer, "now": shop.now}
    with transaction() as db:
        db.get_one(Topic, shop.topic).asks_again = True
        assert answer_event(db, text="giá", **event) == 1
        db.get_one(Customer, customer).profile_at = shop.now
        db.flush()
        assert answer_event(db, text="ở đâu", **event) == 1
        assert ask_again(db, shop.fanpage, customer, shop.now) == 0
    with transaction() as db:
        assert [row.body for row in db.exec(select(Reply))] == [{}, {}]
        db.execute(delete(Reply))
        assert ask_again(db, shop.fanpage, customer, shop.now) == 1


def test_a_request_that_waits_behind_an_answer_keeps_its_row(shop: Shop) -> None:
    customer = shop.customer(None, profile_at=None)
    event = {"fanpage_id": shop.fanpage, "customer_id": customer, "now": shop.now}
    with transaction() as db:
        assert answer_event(db, text="giá", **event) == 1
        assert answer_event(db, text="Nhận tin", payload=f"{ASK_PAYLOAD}{shop.topic}", **event) == 1
        held = db.exec(select(Reply).order_by(Reply.id)).all()[1]
        asked = db.exec(select(Request.id)).one()
        assert (held.body, held.request_id) == ({}, asked)
        db.execute(delete(Reply))
        assert begin_answer(db, shop.fanpage, customer, held.begins_with, shop.now) == 1
        assert db.exec(select(Reply)).one().request_id == asked
    assert said_to(customer) == [PROMISE]
