"""A colleague writes a code word to the fanpage, and is a tester."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.conversation.rules import ReplyState
from core.db import tables
from core.db.engine import transaction
from core.errors import Invalid
from core.testers.actions import invite_tester, new_code, remove_tester, renew_code
from core.testers.queries import list_testers
from core.testers.rules import CODE_LIFETIME, code_in, ref_for, word_for
from tests.inbox.platform import event, rows, said
from tests.testers.conftest import PSID, Team


def the_testers(team: Team) -> list[tuple[str, bool]]:
    return [(each.name, each.customer_id is not None) for each in list_testers(team.fanpage)]


@pytest.mark.parametrize("written", ["{}", "  {} ", "{}.", "{lower}", "“{}”"[1:-1]])
def test_whoever_writes_the_code_word_is_a_tester_and_reads_so(team, written):
    tester_id = invite_tester(team.lan, team.fanpage, now=team.now)
    word = word_for(team.code_of(tester_id))
    team.says(written.format(word, lower=word.lower().replace("-", " ")))
    (tester,) = list_testers(team.fanpage)
    assert (tester.operator_id, tester.code, tester.may_get(team.now)) == (team.lan.id, None, True)
    (answer,) = rows(tables.Reply)
    assert "tester" in answer.body["text"] or "thử" in answer.body["text"]


def test_the_link_does_the_same(team):
    tester_id = invite_tester(team.lan, team.fanpage, name="Vy", now=team.now)
    ref = {"ref": ref_for(team.code_of(tester_id)), "source": "SHORTLINK", "type": "OPEN_THREAD"}
    team.receive(event(PSID, team.now, referral=ref))
    assert the_testers(team) == [("Vy", True)]


def test_a_code_is_good_once(team):
    tester_id = invite_tester(team.lan, team.fanpage, now=team.now)
    word = word_for(team.code_of(tester_id))
    team.says(word)
    team.says(word, "24070000000000088")
    (tester,) = rows(tables.Tester)
    (first,) = rows(tables.Customer, tables.Customer.psid == PSID)
    assert tester.customer_id == first.id


def test_an_expired_code_says_so_and_makes_nobody_a_tester(team):
    tester_id = invite_tester(team.lan, team.fanpage, now=team.now)
    team.says(word_for(team.code_of(tester_id)), at=team.now + CODE_LIFETIME)
    assert the_testers(team) == [("lan", False)]
    assert len(rows(tables.Reply)) == 1
    renew_code(team.lan_later(CODE_LIFETIME), tester_id, now=team.now + CODE_LIFETIME)
    team.says(word_for(team.code_of(tester_id)), at=team.now + CODE_LIFETIME + timedelta(hours=1))
    assert the_testers(team) == [("lan", True)]


def test_a_code_of_another_fanpage_is_only_words(team, arrange):
    other = arrange.fanpage("Trà sữa Bông")
    tester_id = invite_tester(team.lan, other, now=team.now)
    team.says(word_for(list_testers(other)[0].code))
    assert list_testers(other)[0].id == tester_id
    assert list_testers(other)[0].customer_id is None
    assert rows(tables.Reply) == []


def test_while_another_app_answers_the_code_counts_and_we_say_nothing(team):
    tester_id = invite_tester(team.lan, team.fanpage, now=team.now)
    words = said(PSID, team.now, word_for(team.code_of(tester_id)), "m_1")
    team.receive(words, channel="standby")
    assert the_testers(team) == [("lan", True)]
    assert rows(tables.Reply) == []


def test_an_operator_has_one_phone_the_latest(team):
    team.tester(psid="24070000000000088")
    team.tester()
    (tester,) = rows(tables.Tester)
    (phone,) = rows(tables.Customer, tables.Customer.psid == PSID)
    assert tester.customer_id == phone.id


def test_a_phone_belongs_to_one_tester_the_latest(team):
    team.tester()
    team.tester(name="Vy")
    assert the_testers(team) == [("Vy", True)]


def test_inviting_oneself_again_voids_the_code_before(team):
    invite_tester(team.lan, team.fanpage, now=team.now)
    invite_tester(team.lan, team.fanpage, name="Vy", now=team.now)
    invite_tester(team.lan, team.fanpage, now=team.now)
    assert the_testers(team) == [("lan", False), ("Vy", False)]


def test_removing_takes_a_tester_off_the_list_once(team):
    tester_id = team.tester()
    assert remove_tester(team.lan, tester_id, now=team.now)
    assert not remove_tester(team.lan, tester_id, now=team.now)
    assert len(rows(tables.Customer)) == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_colleague_needs_a_name(team, name):
    with pytest.raises(Invalid):
        invite_tester(team.lan, team.fanpage, name=name, now=team.now)


@pytest.mark.parametrize("text", ["test review", "test", "TEST-K7", "thử TEST-BCDFGHJK nhé", None, ""])
def test_what_customers_write_is_no_code(text):
    assert code_in(text, None) is None


@pytest.mark.parametrize("ref", ["tester.", "tester.a", "tet-2027", "tester.AEIOUAEI", ""])
def test_other_links_are_no_code(ref):
    assert code_in(None, ref) is None


def test_a_silent_bot_still_welcomes_a_tester(team):
    team.says("chào")
    with transaction() as db:
        db.get_one(tables.Customer, 1).colleague_at = team.now
    team.tester()
    assert [row.state for row in rows(tables.Reply)] == [ReplyState.QUEUED]


def test_codes_differ():
    assert len({new_code() for _ in range(1000)}) == 1000
