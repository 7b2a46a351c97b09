"""The topics page: create, edit, archive; and what it says when people's opt-ins are used."""

import pytest
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import topic_queries
from core.broadcasts.topic_archiving import archive_topic
from core.conversation.queries import get_message
from core.db.engine import reading
from core.db.tables import Block, Message, Topic
from tests.pages.conftest import Panel
from tests.pages.shown import all_words, keys, press


def topics():
    with reading() as db:
        return db.exec(select(Topic).order_by(Topic.id)).all()


def choose(at, deed):
    at.menu_button(key="topic_more").click(deed).run()
    assert not at.exception
    return at


def test_the_first_topic_is_created_from_the_empty_state(panel: Panel, fanpage):
    at = panel("topics", role="editor")
    press(at, "topics_start")
    at.text_input(key="topic_new_name").input("KH nhận khuyến mãi SP mới")
    at.text_area(key="topic_new_description").input("Chỉ hàng mới")
    press(at, "topic_new_save")
    made = topics()[0]
    assert (made.name, made.description, made.fanpage_id) == (
        "KH nhận khuyến mãi SP mới",
        "Chỉ hàng mới",
        fanpage,
    )
    assert at.title[0].value == "KH nhận khuyến mãi SP mới"
    assert "2. Let customers agree" in all_words(at)


@pytest.mark.parametrize("is_archived", [False, True])
def test_a_taken_name_offers_the_topic_that_has_it(panel, arrange, fanpage, now, is_archived):
    topic = arrange.topic(fanpage, "Tết")
    if is_archived:
        archive_topic(COMMAND_LINE, topic, now=now)
    at = press(panel("topics"), "topic_add")
    at.text_input(key="topic_new_name").input("TẾT")
    press(at, "topic_new_save")
    assert not at.error
    press(at, "topic_new_use")
    assert at.title[0].value == "Tết"
    assert [each.archived_at for each in topics()] == [None]


def test_a_new_topic_leads_to_a_message_that_asks_about_it(panel, arrange, fanpage):
    topic = arrange.topic(fanpage, "Tết")
    at = press(panel("topics", id=topic, role="editor"), "topic_ask")
    (asked,) = [box for box in at.selectbox if (box.key or "").endswith("_topic")]
    assert asked.value == topic


def test_a_viewer_sees_topics_and_cannot_add_one(panel, arrange, fanpage):
    arrange.topic(fanpage, "Tết")
    at = panel("topics", role="viewer")
    assert "Tết" in all_words(at)
    assert "topic_add" not in keys(at.button)


def test_a_viewer_gets_no_way_to_edit_one_topic(panel, arrange, fanpage):
    at = panel("topics", role="viewer", id=arrange.topic(fanpage, "Tết"))
    assert at.title[0].value == "Tết"
    assert "topic_more" not in keys(at.menu_button)
    assert "topic_ask" not in keys(at.button)


def test_the_list_shows_people_and_what_to_do_next(panel, arrange, fanpage):
    new, ready = arrange.topic(fanpage, "Mới"), arrange.topic(fanpage, "Sẵn sàng")
    arrange.opt_in(ready, arrange.customer(fanpage), fanpage_id=fanpage)
    words = all_words(panel("topics"))
    assert "Let customers agree to it" in words
    assert "Send a broadcast" in words
    assert f'href="topics?id={new}"' in words


def test_a_topic_is_renamed(panel, arrange, fanpage):
    topic = arrange.topic(fanpage, "Cũ")
    at = choose(panel("topics", id=topic), "topic_edit")
    at.text_input(key="topic_edit_name").input("Mới")
    press(at, "topic_edit_save")
    assert topics()[0].name == "Mới"
    assert at.title[0].value == "Mới"


def test_a_topic_is_archived_after_saying_what_that_does_and_restored(panel, arrange, fanpage, now):
    topic = arrange.topic(fanpage, "Tết")
    message = arrange.save(
        Message(fanpage_id=fanpage, name="Chào", published=1, created_at=now, updated_at=now)
    )
    arrange.save(Block(message_id=message, position=0, kind="otnr", topic_id=topic))
    at = choose(panel("topics", id=topic), "topic_archive")
    assert "only ask about this topic, so they are archived, too: “Chào”" in all_words(at)
    press(at, "topic_archive_confirm")
    assert topics()[0].archived_at is not None
    assert get_message(message).is_archived
    press(at, "topic_restore")
    assert topics()[0].archived_at is None


def test_archived_topics_are_kept_apart(panel, arrange, fanpage, now):
    arrange.topic(fanpage, "Đang dùng")
    archive_topic(COMMAND_LINE, arrange.topic(fanpage, "Cất đi"), now=now)
    assert "Cất đi" not in all_words(panel("topics"))
    words = all_words(panel("topics", role="editor", shown="archived"))
    assert "Cất đi" in words
    assert "Đang dùng" not in words


def test_after_a_broadcast_the_topic_says_who_must_agree_again_and_how(panel, arrange, fanpage, now):
    topic = arrange.topic(fanpage, "Tết")
    for name in ("Lan", "Mai"):
        arrange.opt_in(topic, arrange.customer(fanpage, name), fanpage_id=fanpage, state="spent")
    assert topic_queries.topic_progress(topic, now=now).need_asking == 2
    words = all_words(panel("topics", id=topic))
    assert "2 customers have had their one notification" in words
    assert "until they agree again" in words
    assert "OTNR" in words


def test_nothing_is_said_about_asking_again_while_nobody_was_notified(panel, arrange, fanpage):
    topic = arrange.topic(fanpage)
    arrange.opt_in(topic, arrange.customer(fanpage), fanpage_id=fanpage)
    assert "one notification about this topic.**" not in all_words(panel("topics", id=topic))


def test_a_ready_topic_leads_to_a_broadcast_and_a_new_one_to_messages(panel, arrange, fanpage):
    ready = arrange.topic(fanpage, "Sẵn sàng")
    arrange.opt_in(ready, arrange.customer(fanpage), fanpage_id=fanpage)
    assert "topic_notify" in keys(panel("topics", id=ready).button)
    fresh = panel("topics", role="editor", id=arrange.topic(fanpage, "Mới"))
    assert "topic_ask" in keys(fresh.button)


@pytest.mark.parametrize("id_", ["999", "99999999999999999999", "1;drop"])
def test_an_unknown_topic_is_answered_calmly(panel, fanpage, id_):
    at = panel("topics", id=id_)
    assert not at.exception
    assert "does not exist" in all_words(at) or at.title[0].value == "OTN topics"


def test_a_topic_of_another_fanpage_opens_with_its_fanpage(panel, arrange, fanpage):
    elsewhere = arrange.fanpage("Tiệm khác")
    at = panel("topics", fanpage_id=fanpage, id=arrange.topic(elsewhere, "Của tiệm khác"))
    assert at.title[0].value == "Của tiệm khác"
    assert at.session_state["fanpage_id"] == elsewhere
