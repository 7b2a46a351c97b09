"""Whatever somebody types, pastes or sends: kept, or refused in words. PostgreSQL takes no NUL, no half of a
character and nothing too long; SQLite takes it all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import pytest

from core.accounts import queries as accounts
from core.accounts import sign_in
from core.accounts.actions import add_operator
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions as broadcasts
from core.broadcasts.delivery_queries import list_deliveries
from core.consent import actions as topics
from core.consent import customer_queries, imports
from core.consent import queries as consent
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.entry_kinds.names import EntryKind
from core.errors import OperatorError
from core.fanpages import actions as fanpages
from core.inbox import processing
from core.inbox import queries as inbox_queries
from tests.arrange import Arrange
from tests.inbox.platform import PAGE, event, read, said, tap

ODD = ["Hoa\0Mai", "Hoa \ud83c Mai", "x" * 700, "🌸" * 150, "%_\\'\"", "\0"]
TYPED = [text for text in ODD if "\ud83c" not in text]  # no keyboard and no browser brings half a character


@pytest.fixture
def shop(arrange: Arrange) -> tuple[int, int]:
    fanpage_id = arrange.fanpage(page_id=PAGE)
    return fanpage_id, arrange.topic(fanpage_id)


def csv(*cells: str) -> bytes:
    row = ",".join(cells)
    return f"psid,token,consented_at,promise\n{row}".encode("utf-8", "surrogatepass")


def typed(shop: tuple[int, int], text: str, now: datetime) -> dict[str, Callable[[], object]]:
    fanpage, topic = shop
    entry = EntryDraft(EntryKind.KEYWORD, text, "contains")
    block, at = BlockDraft("text", {"text": text}), now.isoformat()
    content = {"kind": "text", "text": text}

    def save(**changes: object) -> int:
        given = {"name": "Chào", "blocks": [BlockDraft("text", {"text": "Chào"})], "entry_points": []}
        return save_message(COMMAND_LINE, fanpage, **{**given, **changes}, now=now)

    def imported(*cells: str) -> object:
        return imports.import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=csv(*cells), now=now)

    def log(**asked: str) -> object:
        return accounts.list_activity(ActivityFilter(**asked))

    return {
        "topic": lambda: topics.create_topic(COMMAND_LINE, fanpage, name=text, now=now),
        "description": lambda: topics.edit_topic(COMMAND_LINE, topic, name="A", description=text, now=now),
        "find topic": lambda: consent.find_topic(fanpage, text),
        "broadcast name": lambda: broadcasts.create_broadcast(
            COMMAND_LINE, topic_id=topic, name=text, content={"kind": "text", "text": "A"}, now=now
        ),
        "broadcast text": lambda: broadcasts.create_broadcast(
            COMMAND_LINE, topic_id=topic, content=content, now=now
        ),
        "message name": lambda: save(name=text),
        "message text": lambda: save(blocks=[block]),
        "keyword": lambda: save(entry_points=[entry]),
        "fanpage": lambda: fanpages.connect(
            COMMAND_LINE, page_id="77", name=text, token=text, check=False, now=now
        ),
        "page id": lambda: fanpages.connect(
            COMMAND_LINE, page_id=text, name="A", token="t", check=False, now=now
        ),
        "operator": lambda: add_operator(COMMAND_LINE, text, "viewer", password="hoa mai vàng 88", now=now),
        "sign-in": lambda: sign_in.begin_sign_in(text, text, now=now),
        "import psid": lambda: imported(text, "t1", at, "Báo tôi"),
        "import token": lambda: imported("25", text, at, "Báo tôi"),
        "import promise": lambda: imported("25", "t2", at, text),
        "search customers": lambda: customer_queries.list_customers(fanpage, search=text, now=now),
        "search log": lambda: log(search=text),
        "actor": lambda: log(actor=text),
        "last webhook": lambda: inbox_queries.last_webhook_at(text),
    }


@pytest.mark.parametrize("text", TYPED, ids=ascii)
def test_what_is_typed_is_kept_or_refused_in_words(shop, text, now):
    for name, do in typed(shop, text, now).items():
        try:
            with suppress(OperatorError):
                do()
        except Exception as problem:
            raise AssertionError(f"{name} with {text[:20]!r}: {type(problem).__name__}") from problem


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_what_the_platform_sends_is_applied_and_holds_up_nothing(shop, text, now):
    odd = [
        said("25", now, text, f"m {text}"),
        tap("25", now, f"token {text}", payload=text),
        event("25", now, postback={"title": text, "payload": text, "mid": text}),
        event("25", now, referral={"ref": text, "source": "SHORTLINK", "type": "OPEN_THREAD"}),
        event("25", now, message={"mid": text, "is_echo": True, "metadata": text}),
        event("25", now, delivery={"mids": [text], "watermark": 1}),
        event(text, now, message={"mid": "m2", "text": "a"}),
        event("25", now, **{"policy-enforcement": {"action": text, "reason": text}}),
    ]
    processing.store_events(read(*odd, received_at=now))
    processing.apply_pending(100, now)
    assert not inbox_queries.has_pending()


def test_the_people_of_a_broadcast_can_be_searched_for_anything(shop, now):
    made = broadcasts.create_broadcast(
        COMMAND_LINE, topic_id=shop[1], content={"kind": "text", "text": "A"}, now=now
    )
    for text in TYPED:
        assert list_deliveries(made, search=text) == []
