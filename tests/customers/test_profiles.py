"""Names of customers: asked for at the platform, whatever becomes of single fanpages."""

from __future__ import annotations

from typing import cast

import pytest
from sqlalchemy import update
from sqlalchemy.dialects import sqlite
from sqlmodel import select

from core.customers.profiles import AT_ONCE, fetch_missing_profiles, nameless
from core.db.engine import reading, transaction
from core.db.tables import Customer, Fanpage
from core.encryption import CannotDecrypt
from core.messenger.client import GraphRefused, Messenger, Profile
from core.messenger.errors import Failure, NextStep
from tests.arrange import Arrange


class Asked:
    def profile(self, psid: str) -> Profile:
        return Profile("Lan", "Nguyễn", "vi_VN")


class Unclear(Asked):
    """An outage, or what the platform says of a person who has blocked the fanpage, for one or for all."""

    def __init__(self, psid: str = "") -> None:
        self.psid = psid

    def profile(self, psid: str) -> Profile:
        if self.psid in ("", psid):
            raise GraphRefused(Failure(NextStep.PERSON_OR_ACCOUNT, "temporary", 400, 2))
        return super().profile(psid)


def test_a_token_that_cannot_be_read_keeps_no_other_fanpage_waiting(arrange: Arrange) -> None:
    sealed, other = (arrange.fanpage(page_id=each, token_sealed="x") for each in ("1001", "1002"))
    lan = arrange.customer(other, "", last_event_at=arrange.now)
    for _number in range(AT_ONCE + 1):  # the latest, who would be asked for first
        arrange.customer(sealed, "", last_event_at=arrange.now)

    def connect(fanpage_id: int) -> Messenger:
        if fanpage_id == sealed:
            raise CannotDecrypt("sealed with another key")
        return cast(Messenger, Asked())

    assert fetch_missing_profiles(connect, now=arrange.now) == 1
    with reading() as db:
        asked = db.exec(select(Customer).where(Customer.profile_at != None)).all()  # noqa: E711
    assert [(each.id, each.first_name, each.locale) for each in asked] == [(lan, "Lan", "vi_VN")]


def test_who_cannot_be_asked_for_is_asked_for_later(arrange: Arrange) -> None:
    fanpage = arrange.fanpage(token_sealed=None)
    arrange.customer(fanpage, "", last_event_at=arrange.now)
    assert fetch_missing_profiles(lambda _id: cast(Messenger, Asked()), now=arrange.now) == 0
    with transaction() as db:
        db.execute(update(Fanpage).values(token_sealed="x"))
    assert fetch_missing_profiles(lambda _id: cast(Messenger, Asked()), now=arrange.now) == 1


def test_who_is_asked_for_in_an_outage_is_asked_for_again(arrange: Arrange) -> None:
    fanpage = arrange.fanpage(token_sealed="x")
    lan, mai = (arrange.customer(fanpage, "", last_event_at=arrange.now) for _ in range(2))
    assert fetch_missing_profiles(lambda _id: cast(Messenger, Unclear()), now=arrange.now) == 0
    with reading() as db:
        assert [db.get_one(Customer, each).profile_at for each in (lan, mai)] == [None, None]
        psid = db.get_one(Customer, mai).psid
    assert fetch_missing_profiles(lambda _id: cast(Messenger, Unclear(psid)), now=arrange.now) == 2
    assert fetch_missing_profiles(lambda _id: cast(Messenger, Asked()), now=arrange.now) == 0


class BreaksDown(Asked):
    """Answers so often, and then there is an outage."""

    def __init__(self, answers: int, said: Failure) -> None:
        self.left = answers
        self.said = said

    def profile(self, psid: str) -> Profile:
        self.left -= 1
        if self.left < 0:
            raise GraphRefused(self.said)
        return super().profile(psid)


@pytest.mark.parametrize(
    "said",
    [Failure(NextStep.PERSON_OR_ACCOUNT, "temporary", 400, 2), Failure(NextStep.IN_DOUBT, "timeout")],
)
def test_who_is_asked_for_when_an_outage_has_just_begun_is_asked_for_again(
    arrange: Arrange, said: Failure
) -> None:
    fanpage = arrange.fanpage(token_sealed="x")
    for _number in range(4):
        arrange.customer(fanpage, "", last_event_at=arrange.now)
    platform = BreaksDown(2, said)
    assert fetch_missing_profiles(lambda _id: cast(Messenger, platform), now=arrange.now) == 2
    with reading() as db:
        asked = db.exec(select(Customer.first_name).where(Customer.profile_at != None)).all()  # noqa: E711
    assert asked == ["Lan", "Lan"]
    assert fetch_missing_profiles(lambda _id: cast(Messenger, Asked()), now=arrange.now) == 2


@pytest.mark.sqlite  # PostgreSQL's plan depends on how many there are
@pytest.mark.usefixtures("fresh_database")
def test_those_who_have_a_name_are_not_read_to_find_those_without() -> None:
    """The worker looks every few seconds, in a shop of a million customers, too."""
    asked = nameless([]).compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    with reading() as db:
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", tuple(asked.params.values()))
        steps = " ".join(row[3] for row in plan)
    assert "ix_customer_nameless" in steps
    assert "TEMP B-TREE" not in steps
