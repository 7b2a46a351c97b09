"""The demo, filled by real processes through the product's own doors."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.broadcasts.delivery_queries import list_deliveries
from core.broadcasts.queries import list_broadcasts
from core.clock import utc_now
from core.consent.opt_in_queries import list_opt_ins
from core.consent.queries import list_topics
from core.conversation.queries import list_messages
from core.deliveries.attempts import attempts_of
from core.demo import past, seed, story
from core.demo.story import broadcast_content
from core.fanpages.queries import list_fanpages
from core.settings import settings
from core.simulator.control_client import SimulatorClient
from tests.processes import answers, free_port, process, until


@pytest.fixture
def product(fresh_database, tmp_path, monkeypatch):
    """Simulator, webhook server and worker on free ports, with the demo's few lively people only."""
    monkeypatch.setattr(story, "QUIET", 30)
    ports = {f"OTN_{name}_PORT": str(free_port()) for name in ("SIMULATOR", "WEBHOOK")}
    for name, value in ports.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with contextlib.ExitStack() as stack:
        for command in (["core", "simulator"], ["webhook_server"], ["core", "worker"]):
            stack.enter_context(process("-m", *command, log=tmp_path / f"{command[-1]}.log"))
        for port in ports.values():
            until(lambda port=port: answers(int(port)), what="a process answers")
        yield


def test_the_demo_tells_a_whole_story(product):
    now = utc_now()
    seed(now)
    fanpage = list_fanpages()[0]
    assert (fanpage.name, fanpage.is_demo, fanpage.problems) == (story.PAGE_NAME, True, ())
    topics = {each.name: each for each in list_topics(fanpage.id, now=now)}
    assert set(topics) == {each.topic for each in story.STORIES}
    assert all(topic.total > 10 for topic in topics.values())
    assert len(list_messages(fanpage.id)) == 4
    broadcasts = {each.name: each for each in list_broadcasts(fanpage.id)}
    _check_finished(broadcasts[story.FINISHED], now)
    _check_scheduled(broadcasts[story.SCHEDULED], now, fanpage.timezone)
    assert broadcasts[story.ON_ITS_WAY].state in ("scheduled", "sending", "finished")
    promises = {each.promise for each in list_opt_ins(fanpage.id, now=now, limit=1000)}
    assert promises == {each.promise for each in story.STORIES}
    _check_repeat(fanpage.id, now)


def _check_finished(broadcast, now):
    assert broadcast.state == "finished"
    then = past.first_broadcast_at(now, "Asia/Ho_Chi_Minh")
    assert then <= broadcast.started_at < broadcast.finished_at < then + timedelta(minutes=5)
    assert broadcast.balances
    assert broadcast.counts["sent"] == broadcast.audience - 3
    assert broadcast.reasons == {"blocked": 3}  # who had blocked the shop before
    blocked = [delivery.id for delivery in list_deliveries(broadcast.id, states=["failed"])]
    tried = [each for tries in attempts_of(blocked).values() for each in tries]
    assert len(tried) == 3
    assert all(broadcast.started_at <= each.started_at <= broadcast.finished_at for each in tried)


def _check_scheduled(broadcast, now, zone):
    local = broadcast.due_at.astimezone(ZoneInfo(zone))
    assert broadcast.state == "scheduled"
    assert (local.hour, local.minute) == (9, 0)
    assert local.date() == now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)


def _check_repeat(fanpage_id, now):
    """A second start changes nothing, and the books of the platform agree with the ledger."""
    before = len(list_broadcasts(fanpage_id)), sum(each.total for each in list_topics(fanpage_id, now=now))
    seed(utc_now())
    issued = SimulatorClient(f"http://127.0.0.1:{settings().simulator_port}").books(
        story.PAGE_ID, short=True
    )["issued"]
    after = len(list_broadcasts(fanpage_id)), sum(each.total for each in list_topics(fanpage_id, now=now))
    assert after[0] == before[0] == 3
    assert before[1] <= after[1] <= issued


def test_the_past_is_the_same_every_time_and_never_in_the_future():
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    psids = [str(number) for number in range(len(story.people()))]
    first = datetime(2026, 11, 13, 2, 30, tzinfo=UTC)
    assert past.first_broadcast_at(now, "Asia/Ho_Chi_Minh") == first
    told = past.invent(psids, now, first)
    assert told == past.invent(psids, now, first)
    assert all(each.at < now for each in [*told.asked, *told.asked_since])
    assert all(each.at >= told.contacts[each.psid] for each in [*told.asked, *told.asked_since])
    assert not set(psids[: len(story.YOURS)]) & set(told.contacts)
    before_first = [each.at for each in told.asked if each.story is story.PEONIES]
    assert max(before_first) < first < min(each.at for each in told.asked_since)


def test_broadcasts_of_the_demo_are_fit_to_be_sent():
    from core.broadcasts.draft_rules import check_content

    assert [check_content(broadcast_content(name)) for name in story.CONTENTS] == [[], [], []]
