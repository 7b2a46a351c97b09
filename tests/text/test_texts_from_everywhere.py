"""One text is one text, through whatever door and in whatever spelling it comes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.actions import add_operator
from core.accounts.queries import ActivityFilter, list_activity
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions as broadcasts
from core.broadcasts.drafts import get_draft, keep_draft
from core.commands.lookup import topic_named
from core.consent import actions as topics
from core.consent.customer_queries import get_customer, list_customers
from core.consent.queries import find_topic
from core.conversation.actions import archive_message, save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_point_queries import answer_to
from core.conversation.message_files import draft_from_json
from core.conversation.queries import get_message, list_messages
from core.customers.profiles import store_profile
from core.db.engine import transaction
from core.errors import Invalid
from core.fanpages import actions as fanpages
from core.messenger.client import Profile
from core.text.matching import search_key
from tests.arrange import Arrange
from tests.inbox.platform import PAGE

PSID = "2407000000000012"
NAME = "Khuyến mãi Tết ở Huế"
DECOMPOSED = unicodedata.normalize("NFD", NAME)
INVISIBLE = [
    "\u200b",
    "\u200d\u2060",
    "\ufeff",
    "\u00ad",
    "\u3164",
    "\u200f\u202b\u202c",
    "\ufe0f",
    "\u2800",
    "\x00\x07",
]


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    return arrange.fanpage(page_id=PAGE)


def message(fanpage: int, now: datetime, **changes: object) -> int:
    given = {"name": "Chào", "blocks": [BlockDraft("text", {"text": "Chào"})], "entry_points": []}
    return save_message(COMMAND_LINE, fanpage, **{**given, **changes}, now=now)


def test_both_spellings_of_a_topic_are_one_topic(fanpage: int, now: datetime) -> None:
    made = topics.create_topic(COMMAND_LINE, fanpage, name=DECOMPOSED, now=now)
    for same in (NAME, DECOMPOSED, f"\ufeff{NAME.upper()} \u200b", NAME.replace("mãi", "mã\u200bi")):
        assert find_topic(fanpage, same) == made
        assert topic_named(same, None)[0] == made
        with pytest.raises(Invalid, match="already"):
            topics.create_topic(COMMAND_LINE, fanpage, name=same, now=now)
        draft = draft_from_json(
            fanpage, {"name": "A", "blocks": [{"kind": "otnr", "title": "B", "topic": same}]}
        )
        assert draft.blocks[0].topic_id == made


def test_everything_that_has_words_keeps_them_in_one_spelling(
    arrange: Arrange, fanpage: int, now: datetime
) -> None:
    topic, lan = arrange.topic(fanpage), arrange.customer(fanpage)
    blocks = [
        BlockDraft(
            "text", {"text": f" {DECOMPOSED}\r\n{DECOMPOSED}\u200b", "fallback": f"{DECOMPOSED}\u00a0"}
        ),
        BlockDraft(
            "buttons",
            {"text": DECOMPOSED, "buttons": [{"title": "Gia\u0301", "url": "'https://hoa.vn/e\u0301'"}]},
        ),
        BlockDraft("otnr", {"title": f"{DECOMPOSED}\n\u2060", "after": f"\ufeff{DECOMPOSED}"}, topic),
    ]
    entries = [
        EntryDraft(EntryKind.KEYWORD, "contains", DECOMPOSED),
        EntryDraft(EntryKind.REF, None, "'tet-2027'\u200b"),
    ]
    kept = get_message(message(fanpage, now, name=f"{DECOMPOSED}\u200b", blocks=blocks, entry_points=entries))
    assert kept.name == NAME
    assert [block.content for block in kept.blocks] == [
        {"text": f"{NAME}\n{NAME}", "fallback": NAME},
        {"text": NAME, "fallback": "", "buttons": [{"title": "Giá", "url": "https://hoa.vn/e\u0301"}]},
        {"title": NAME, "after": NAME},
    ]
    assert [entry.value for entry in kept.entry_points] == [NAME, "tet-2027"]

    text = {"kind": "text", "text": DECOMPOSED}
    at_once = broadcasts.create_broadcast(
        COMMAND_LINE, topic_id=topic, name=DECOMPOSED, content=text, now=now
    )
    by_steps = broadcasts.create_broadcast(COMMAND_LINE, topic_id=topic, name=f"{DECOMPOSED}\u200b", now=now)
    began = get_draft(by_steps)
    keep_draft(COMMAND_LINE, replace(began, content=text), began=began, now=now)
    for broadcast_id in (at_once, by_steps):
        draft = get_draft(broadcast_id)
        assert (draft.name, draft.content["text"]) == (NAME, NAME)

    with transaction() as db:
        store_profile(db, lan, PSID, Profile(DECOMPOSED, "\u200b", "vi_VN"), now)
    found = get_customer(lan, now=now)
    assert found.name == NAME
    for search in (NAME, DECOMPOSED, "khuyen mai tet"):
        assert [each.id for each in list_customers(fanpage, search=search, now=now)] == [lan]
        assert list_messages(fanpage, search=search)[0].name == NAME
    assert list_activity(ActivityFilter(search=DECOMPOSED))
    assert (
        add_operator(COMMAND_LINE, " Lan.Anh\u200b", "viewer", "hoa mai vàng 88", now=now).name == "lan.anh"
    )


def test_a_keyword_is_taken_however_it_is_spelt(fanpage: int, now: datetime) -> None:
    message(fanpage, now, entry_points=[EntryDraft(EntryKind.KEYWORD, "exact", NAME)])
    with pytest.raises(Invalid, match="already starts"):
        message(fanpage, now, entry_points=[EntryDraft(EntryKind.KEYWORD, "exact", f"{DECOMPOSED}\u200b")])


LETTERS = "aăâeêioôơuưydđ bcmn\u0300\u0301\u0303\u0309\u0323"
SPOKEN = st.text(st.sampled_from(LETTERS), min_size=1, max_size=12).filter(search_key)
FORMS = st.sampled_from(["NFC", "NFD"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(keyword=SPOKEN, form=FORMS, typed=FORMS)
@pytest.mark.one_database
def test_a_customer_is_understood_in_any_spelling(
    fanpage: int, now: datetime, keyword: str, form: str, typed: str
) -> None:
    entry = EntryDraft(EntryKind.KEYWORD, "contains", unicodedata.normalize(form, keyword))
    for earlier in list_messages(fanpage):
        archive_message(COMMAND_LINE, earlier.id, now=now)
    made = message(fanpage, now, entry_points=[entry])
    said_so = unicodedata.normalize(typed, keyword)
    for words in (said_so, f"\ufeffshop ơi {said_so}\u200b nhé"):
        assert getattr(answer_to(fanpage, words), "message_id", None) == made


def required(arrange: Arrange, fanpage: int, text: str, now: datetime) -> dict[str, Callable[[], object]]:
    topic = arrange.topic(fanpage, f"Chủ đề {arrange.now}")
    content = {"kind": "text", "text": text}

    def block(kind: str, **given: object) -> Callable[[], object]:
        blocks = [BlockDraft(kind, given, topic if kind == "otnr" else None)]
        return lambda: message(fanpage, now, blocks=blocks)

    leads = {"title": text, "url": "https://hoa.vn"}
    return {
        "topic": lambda: topics.create_topic(COMMAND_LINE, fanpage, name=text, now=now),
        "message": lambda: message(fanpage, now, name=text),
        "text": block("text", text=text),
        "promise": block("otnr", title=text),
        "button": block("buttons", text="Chọn", buttons=[leads]),
        "words above": block("buttons", text=text, buttons=[{**leads, "title": "Xem"}]),
        "quick reply": block("quick_replies", text="Chọn", replies=[{"title": text, "message_id": 1}]),
        "picture": block("image", url=text),
        "keyword": lambda: message(fanpage, now, entry_points=[EntryDraft(EntryKind.KEYWORD, "exact", text)]),
        "link": lambda: message(fanpage, now, entry_points=[EntryDraft(EntryKind.REF, None, text)]),
        "broadcast": lambda: broadcasts.create_broadcast(
            COMMAND_LINE, topic_id=topic, content=content, now=now
        ),
        "operator": lambda: add_operator(COMMAND_LINE, text, "viewer", password="hoa mai vàng 88", now=now),
        "page id": lambda: fanpages.connect(
            COMMAND_LINE, page_id=text, name="A", token="t", check=False, now=now
        ),
        "fanpage": lambda: fanpages.connect(
            COMMAND_LINE, page_id="7", name=text, token="t", check=False, now=now
        ),
        "token": lambda: fanpages.connect(
            COMMAND_LINE, page_id="7", name="A", token=text, check=False, now=now
        ),
    }


@pytest.mark.one_database
@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_where_a_text_is_required_one_that_nobody_sees_is_refused(
    arrange: Arrange, fanpage: int, text: str, now: datetime
) -> None:
    for name, do in required(arrange, fanpage, f"{text} {text}", now).items():
        try:
            do()
        except Invalid:
            continue
        pytest.fail(f"{name} took {text!a}")
