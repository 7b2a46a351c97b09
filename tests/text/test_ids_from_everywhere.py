"""One person is one customer, through whatever door and however their id is written."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.commands.lookup import fanpage_named
from core.consent.customer_queries import find_customer, list_customers
from core.db.engine import reading
from core.db.tables import Customer, Event, OptIn
from core.errors import Invalid
from core.fanpages import actions as fanpages
from core.inbox import processing
from core.inbox import queries as inbox_queries
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


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    return arrange.fanpage(page_id=PAGE)


def customers() -> list[str]:
    with reading() as db:
        return list(db.execute(select(col(Customer.psid)).order_by(col(Customer.id))).scalars())


def test_however_a_webhook_writes_an_id_it_is_one_customer(fanpage: int, now: datetime) -> None:
    for number, psid in enumerate(DECORATED):
        processing.store_events(read(said(psid, now, "giá", f"m_{number}"), received_at=now))
        processing.store_events(read(tap(psid, now, f"token-{number}"), received_at=now))
    processing.apply_pending(100, now)
    assert customers() == [PSID]
    with reading() as db:
        assert len(db.execute(select(col(OptIn.id))).all()) == len(DECORATED)


def test_the_fanpages_own_id_is_cleaned_like_a_customers(fanpage: int, now: datetime) -> None:
    processing.store_events(
        read(tap(PSID, now, "token-1", page_id=f"'{PAGE}"), received_at=now, page_id=f"\ufeff{PAGE}")
    )
    processing.apply_pending(100, now)
    assert customers() == [PSID]


def test_a_sender_that_is_no_id_is_nobody_and_holds_up_nothing(fanpage: int, now: datetime) -> None:
    for number, psid in enumerate(NO_IDS):
        odd = [
            said(psid, now, "giá", f"m_{number}"),
            tap(psid, now, f"token-{number}"),
            event(psid, now, read={"watermark": 1795000000000 + number}),
        ]
        processing.store_events(read(*odd, received_at=now))
    processing.apply_pending(100, now)
    assert customers() == []
    assert not inbox_queries.has_pending()
    with reading() as db:
        assert len(db.execute(select(col(Event.id))).all()) == 3 * len(NO_IDS)  # all are kept


def test_a_token_with_something_around_it_is_one_opt_in(fanpage: int, now: datetime) -> None:
    for token in ("to'ken-1", "'to'ken-1\u200b", "\ufeffto'ken-1 "):
        processing.store_events(read(tap(PSID, now, token), received_at=now))
    processing.apply_pending(100, now)
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
