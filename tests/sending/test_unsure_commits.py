"""A commit whose outcome nobody heard: what was claimed goes back without a try and without a doubt."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import psycopg
import pytest

from core.deliveries import ledger
from core.sending import claims, loop
from core.sending.claims import Claim, UnsureCommit
from core.sending.replies import claims as reply_claims
from core.sending.unsettled_outcomes import UnsettledOutcomes
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio
from tests.sending.failing_commits import Fate, fated

BOTH = pytest.mark.parametrize("fate", [Fate.BEFORE, Fate.AFTER])
CLAIM = "UPDATE delivery SET state = 'sending', attempt = attempt + 1, claimed_by = %s, claimed_at = %s"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "TROUBLE_SECONDS", 0.001)


def unsure_claim(studio: Studio, broadcast_id: int, fate: Fate, *, worker: str = "worker a") -> list[Claim]:
    with fated(lambda: fate), pytest.raises(UnsureCommit) as unsure:
        claiming.claim(broadcast_id, 500, worker=worker, now=studio.now)
    return list(unsure.value.claims)


def launched(studio: Studio, people: int = 3) -> int:
    studio.people(people)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id


@BOTH
def test_what_was_perhaps_claimed_goes_back_at_once_and_as_often_as_one_likes(
    studio: Studio, fresh_database: TestDatabase, fate: Fate
) -> None:
    broadcast_id = launched(studio)
    perhaps = unsure_claim(studio, broadcast_id, fate)
    assert studio.show(broadcast_id).counts["sending"] == (3 if fate == Fate.AFTER else 0)
    for _ in range(2):
        claims.hand_back(perhaps, worker="worker a", now=studio.now)
        assert fresh_database.rows("SELECT DISTINCT state, tries, in_doubt FROM delivery") == [
            ("queued", 0, False)
        ]
    assert len(claiming.claim(broadcast_id, 500, worker="worker b", now=studio.now)) == 3


@BOTH
def test_what_somebody_has_claimed_since_is_left_alone(studio: Studio, fate: Fate) -> None:
    broadcast_id = launched(studio)
    perhaps = unsure_claim(studio, broadcast_id, fate)
    if fate == Fate.AFTER:
        studio.pass_time(minutes=2)  # its lease ran out
    studio.now += timedelta(minutes=5)
    claiming.claim(broadcast_id, 500, worker="worker a", now=studio.now)
    claims.hand_back(perhaps, worker="worker a", now=studio.now)
    assert studio.show(broadcast_id).counts["sending"] == 3


@pytest.mark.postgresql
def test_a_commit_that_comes_late_is_waited_for(studio: Studio, fresh_database: TestDatabase) -> None:
    broadcast_id = launched(studio)
    perhaps = unsure_claim(studio, broadcast_id, Fate.BEFORE)
    waiting = UnsettledOutcomes("worker a", lambda: studio.now)
    waiting.take_in(perhaps)
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as late:
        late.execute("SELECT 1 FROM broadcast FOR SHARE")
        late.execute(CLAIM, ["worker a", studio.now])
        for _ in range(2):
            waiting.settle()
            assert len(waiting) == 3
        assert not claiming.claim(broadcast_id, 500, worker="worker a", now=studio.now)
        late.commit()
    assert studio.show(broadcast_id).counts["sending"] == 3
    waiting.settle()
    assert not waiting
    assert studio.show(broadcast_id).counts["queued"] == 3


@BOTH
def test_a_reply_that_was_perhaps_claimed_is_not_lost(studio: Studio, fate: Fate) -> None:
    studio.reply()
    with fated(lambda: fate), pytest.raises(UnsureCommit) as unsure:
        claiming.claim_replies(studio.fanpage_id, 5, worker="worker a", now=studio.now)
    for _ in range(2):
        reply_claims.hand_back(unsure.value.claims)
    studio.loop().drain()
    assert len(studio.platform.to_psids) == 1


@BOTH
def test_a_loop_that_is_told_to_stop_meanwhile_leaves_nothing_behind(studio: Studio, fate: Fate) -> None:
    broadcast_id = launched(studio)
    stop = threading.Event()

    def at_the_claim() -> Fate:
        is_claiming = not stop.is_set() and claimed.is_set()
        if is_claiming:
            stop.set()
        return fate if is_claiming else Fate.WELL

    claimed, own = threading.Event(), ledger.claim
    with pytest.MonkeyPatch.context() as patch, fated(at_the_claim):
        patch.setattr(ledger, "claim", lambda *given, **more: (claimed.set(), own(*given, **more))[1])
        studio.loop(stop=stop).drain()
    shown = studio.show(broadcast_id)
    assert (shown.counts["queued"], shown.in_doubt, len(studio.platform.tries)) == (3, 0, 0)


@pytest.mark.parametrize("seed", [0, 3])
def test_whatever_commit_fails_nothing_is_lost_doubled_or_left_in_doubt(
    studio: Studio, fresh_database: TestDatabase, seed: int
) -> None:
    broadcast_id = launched(studio, people=100)
    answers = [studio.reply() for _ in range(5)]
    dice = random.Random(seed)
    fates = [Fate.WELL, Fate.BEFORE, Fate.AFTER]
    with fated(lambda: dice.choice(fates)):
        studio.loop().drain()
    assert (len(studio.platform.accepted), set(studio.platform.tries.values())) == (100, {1})
    assert len(studio.platform.to_psids) == len(answers)
    assert studio.show(broadcast_id).counts["sent"] == 100
    assert fresh_database.rows("SELECT DISTINCT tries, in_doubt FROM delivery") == [(0, False)]
    assert fresh_database.rows("SELECT DISTINCT state FROM reply") == [("sent",)]
    assert fresh_database.rows("SELECT DISTINCT state FROM opt_in") == [("spent",)]
