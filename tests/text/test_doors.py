"""One person is one customer and one text is one text, through whatever door they come."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from core.accounts.actions import add_operator
from core.accounts.queries import ActivityFilter, list_activity
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions as broadcasts
from core.broadcasts.drafts import begin_draft, get_draft, keep_draft
from core.commands.lookup import fanpage_named, topic_named
from core.consent import actions as topics
from core.consent.customer_queries import find_customer, get_customer, list_customers
from core.consent.queries import find_topic
from core.conversation.actions import BlockDraft, EntryDraft, save_message
from core.conversation.files import draft_from_json
from core.conversation.queries import answer_to, get_message, list_messages
from core.conversation.rules import EntryKind
from core.database import reading, transaction
from core.errors import Invalid
from core.fanpages import actions as fanpages
from core.inbox import actions as inbox
from core.inbox import queries as inbox_queries
from core.messenger.client import Profile
from core.sending.replies import keep_profile
from core.tables import Customer, Event, OptIn
from core.text.matching import search_key
from tests.arrange import Arrange
from tests.inbox.platform import PAGE, event, read, said, tap

PSID = "2407000000000012"
AROUND = [
    ("'", ""), ('"', '"'), ("“", "”"), ("‘", "’"), ("`", "`"), ("«", "»"), ('="', '"'), ("", "\u200b"),
    ("\ufeff", ""), ("\u200e", "\u200f"), ("\u202a", "\u202c"), ("\u2068", "\u2069"), ("\u00a0", "\u00a0"),
    ("\u3000", ""), ("\u2060", "\u00ad"), (" ", "\r\n"),
]  # fmt: skip
DECORATED = [*(PSID.join(around) for around in AROUND), PSID, int(PSID)]
NO_IDS = [
    "",
    "'",
    "abc",
    f"{PSID}x",
    "2407 0000",
    "２４０７",
    "٢٤٠٧",
    "-5",
    float(PSID),
    True,
    None,
    [],
    {"a": 1},
    -5,
]
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


def customers() -> list[str]:
    with reading() as db:
        return list(db.execute(select(col(Customer.psid)).order_by(col(Customer.id))).scalars())


def test_however_a_webhook_writes_an_id_it_is_one_customer(fanpage: int, now: datetime) -> None:
    for number, psid in enumerate(DECORATED):
        inbox.store(read(said(psid, now, "giá", f"m_{number}"), received_at=now))
        inbox.store(read(tap(psid, now, f"token-{number}"), received_at=now))
    inbox.apply_pending(100, now)
    assert customers() == [PSID]
    with reading() as db:
        assert len(db.execute(select(col(OptIn.id))).all()) == len(DECORATED)


def test_the_fanpages_own_id_is_cleaned_like_a_customers(fanpage: int, now: datetime) -> None:
    inbox.store(read(tap(PSID, now, "token-1", page_id=f"'{PAGE}"), received_at=now, page_id=f"\ufeff{PAGE}"))
    inbox.apply_pending(100, now)
    assert customers() == [PSID]


def test_a_sender_that_is_no_id_is_nobody_and_holds_up_nothing(fanpage: int, now: datetime) -> None:
    for number, psid in enumerate(NO_IDS):
        odd = [
            said(psid, now, "giá", f"m_{number}"),
            tap(psid, now, f"token-{number}"),
            event(psid, now, read={"watermark": 1795000000000 + number}),
        ]
        inbox.store(read(*odd, received_at=now))
    inbox.apply_pending(100, now)
    assert customers() == []
    assert not inbox_queries.has_pending()
    with reading() as db:
        assert len(db.execute(select(col(Event.id))).all()) == 3 * len(NO_IDS)  # all are kept


def test_a_token_with_something_around_it_is_one_opt_in(fanpage: int, now: datetime) -> None:
    for token in ("to'ken-1", "'to'ken-1\u200b", "\ufeffto'ken-1 "):
        inbox.store(read(tap(PSID, now, token), received_at=now))
    with reading() as db:
        assert len(db.execute(select(col(OptIn.id))).all()) == 1


def test_staff_find_a_customer_by_an_id_as_it_was_pasted(
    arrange: Arrange, fanpage: int, now: datetime
) -> None:
    known = arrange.customer(fanpage, psid=PSID, search_text=PSID)
    for pasted in map(str, DECORATED):
        assert find_customer(fanpage, pasted) == known
        assert [each.id for each in list_customers(fanpage, search=pasted, now=now)] == [known]
    assert find_customer(fanpage, "’") is None
    assert list_customers(fanpage, search="’", now=now) == []


def test_a_fanpage_is_connected_and_named_by_its_id_as_it_was_pasted(
    fresh_database: object, now: datetime
) -> None:
    for pasted in (PAGE, f"'{PAGE}", f"\u200e{PAGE}\u00a0"):
        given = {"page_id": pasted, "name": f" {DECOMPOSED}\u200b", "token": " “token-x”\n", "check": False}
        view = fanpages.connect(COMMAND_LINE, **given, now=now)
        assert (view.id, view.page_id, view.name) == (1, PAGE, NAME)
        assert fanpage_named(pasted).id == 1
    with pytest.raises(Invalid, match="page ID"):
        fanpages.connect(COMMAND_LINE, page_id="１２３", name="A", token="t", check=False, now=now)


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
    by_steps = begin_draft(COMMAND_LINE, topic_id=topic, name=f"{DECOMPOSED}\u200b", now=now)
    keep_draft(COMMAND_LINE, replace(get_draft(by_steps), content=text), now=now)
    for broadcast_id in (at_once, by_steps):
        draft = get_draft(broadcast_id)
        assert (draft.name, draft.content["text"]) == (NAME, NAME)

    with transaction() as db:
        keep_profile(db, lan, PSID, Profile(DECOMPOSED, "\u200b", "vi_VN"), now)
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
    made = message(fanpage, now, message_id=_only(fanpage), entry_points=[entry])
    said_so = unicodedata.normalize(typed, keyword)
    for words in (said_so, f"\ufeffshop ơi {said_so}\u200b nhé"):
        assert getattr(answer_to(fanpage, words), "message_id", None) == made


def _only(fanpage: int) -> int | None:
    return next((each.id for each in list_messages(fanpage)), None)


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
