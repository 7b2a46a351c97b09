"""Whoever launched a broadcast is told that it has ended, in the panel and outside."""

from __future__ import annotations

from datetime import timedelta

from core.accounts.rules import COMMAND_LINE
from core.alerts.scheduled_jobs import send_alerts
from core.broadcasts import actions, scheduled_jobs
from core.broadcasts.ended_broadcasts import close_notice, ends_for
from core.settings import settings
from tests.sending.conftest import Studio


def ended(studio: Studio) -> int:
    """A broadcast that went to two people."""
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(1)
    return broadcast_id


def test_the_end_is_told_once(studio, hook):
    ended(studio)
    assert [send_alerts(now=studio.now) for _ in range(3)] == [1, 0, 0]
    (told,) = hook.told
    assert "2/2 khách hàng đã nhận" in told["message"]
    assert told["title"].startswith("Đã gửi xong: ")


def test_what_was_not_taken_is_told_again_for_a_day(studio, hook):
    ended(studio)
    hook.answers.extend([500, 200])
    minutes = [timedelta(minutes=n) for n in range(3)]
    assert [send_alerts(now=studio.now + each) for each in minutes] == [0, 1, 0]
    assert len(hook.told) == 2


def test_after_a_day_it_is_no_news_any_more(studio, hook):
    ended(studio)
    hook.answers.append(500)
    studio.now += timedelta(days=2)
    assert [send_alerts(now=studio.now) for _ in range(2)] == [0, 0]


def test_without_an_address_nothing_is_kept_for_later(studio, monkeypatch, hook):
    monkeypatch.setenv("OTN_ALERT_URL", "")
    settings.cache_clear()
    ended(studio)
    send_alerts(now=studio.now)
    monkeypatch.setenv("OTN_ALERT_URL", "json://127.0.0.1:9/hook")
    settings.cache_clear()
    assert send_alerts(now=studio.now) == 0


def test_whoever_launched_it_has_a_notice_until_they_close_it(studio):
    broadcast_id = ended(studio)
    (end,) = ends_for(COMMAND_LINE.name)
    assert (end.id, end.sent, end.audience) == (broadcast_id, 2, 2)
    assert ends_for("somebody.else") == []
    assert ends_for(COMMAND_LINE.name, [studio.fanpage_id]) == [end]
    assert ends_for(COMMAND_LINE.name, [studio.fanpage_id + 1]) == []
    close_notice(COMMAND_LINE, broadcast_id, now=studio.now)
    assert ends_for(COMMAND_LINE.name) == []


def test_what_one_has_cancelled_oneself_is_no_news(studio, hook):
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    assert ends_for(COMMAND_LINE.name) == []
    assert send_alerts(now=studio.now) == 1  # but the others want to know
    assert hook.told[0]["title"].startswith("Đã hủy: ")


def test_a_missed_one_says_that_nothing_was_sent(studio, hook):
    studio.people(1)
    broadcast_id = studio.broadcast()
    soon = studio.now + timedelta(minutes=5)
    actions.schedule(
        COMMAND_LINE, broadcast_id, at=soon, best_before=soon + timedelta(minutes=5), now=studio.now
    )
    studio.now += timedelta(hours=1)
    scheduled_jobs.end_too_late(now=studio.now)
    assert [end.state for end in ends_for(COMMAND_LINE.name)] == ["missed"]
    send_alerts(now=studio.now)
    assert "chưa gửi gì" in hook.told[0]["message"]


def test_an_address_that_nobody_understands_is_logged_without_it(studio, monkeypatch, capsys):
    monkeypatch.setenv("OTN_ALERT_URL", "nonsense-secret-word")
    settings.cache_clear()
    ended(studio)
    assert send_alerts(now=studio.now) == 0
    assert "nonsense-secret-word" not in "".join(capsys.readouterr())
