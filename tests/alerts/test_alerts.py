"""Staff are told of what needs them once, by each channel, and again only after it was well in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from apprise.plugins.telegram import NotifyTelegram
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.alerts import actions
from core.alerts import channels as alert_channels
from core.alerts import scheduled_jobs as alert_jobs
from core.alerts.channel_state import list_channels
from core.alerts.channels import Channel, channels
from core.alerts.conditions import find_conditions
from core.alerts.scheduled_jobs import send_alerts
from core.broadcasts.rules import CANARY_FAILED, alike_code
from core.consent import counting
from core.db.engine import reading, sqlite_file, transaction
from core.db.tables import Alert, Backup, Broadcast, Event, Heartbeat, Table
from core.errors import OperatorError
from core.installation import hold_actions
from core.settings import settings
from core.text.catalogues import say_in

SECRETS = "a-mail-secret"


def change(table: type[Table], row_id: int, **values: object) -> None:
    with transaction() as db:
        for name, value in values.items():
            setattr(db.get(table, row_id), name, value)


def paused(arrange, code: str, name: str = "Tết") -> int:
    fanpage_id = arrange.fanpage()
    times = {"created_at": arrange.now, "updated_at": arrange.now}
    row = Broadcast(
        fanpage_id=fanpage_id,
        topic_id=arrange.topic(fanpage_id),
        name=name,
        content={},
        state="paused",
        pause_code=code,
        **times,
    )
    return arrange.save(row)


def event(arrange, number: int, **more: object) -> int:
    values = {"page_id": "1", "kind": "message", "dedupe_key": str(number), "body": "{}", "state": "failed"}
    times = {"occurred_at": arrange.now, "received_at": arrange.now}
    return arrange.save(Event(**{**values, **times, **more}))


def test_a_broadcast_that_paused_itself_is_told_of_once(mailbox, arrange):
    paused(arrange, alike_code("blocked"))
    told = [send_alerts(now=arrange.now + timedelta(minutes=n)) for n in range(4)]
    assert told == [1, 0, 0, 0]
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Notify Once] Tự tạm dừng: “Tết”"
    assert mail["To"] == "lan@shop.vn, minh@shop.vn"
    assert "cùng một lý do" in mail.get_content()


def test_it_is_told_again_after_it_was_well(mailbox, arrange):
    broadcast_id = paused(arrange, CANARY_FAILED)
    send_alerts(now=arrange.now)
    change(Broadcast, broadcast_id, state="sending", pause_code=None)
    send_alerts(now=arrange.now)
    change(Broadcast, broadcast_id, state="paused", pause_code=CANARY_FAILED)
    send_alerts(now=arrange.now)
    assert len(mailbox.mails) == 2


def test_what_breaks_together_is_one_mail(mailbox, arrange):
    for n in range(20):
        arrange.fanpage(f"Trang {n}", stopped_code="token_invalid")
    assert send_alerts(now=arrange.now) == 20
    (mail,) = mailbox.mails
    assert mail["Subject"].endswith("(và 19 việc khác)")
    assert all(f"“Trang {n}”" in mail.get_content() for n in range(20))


def test_each_channel_is_tried_again_by_itself(mailbox, hook, arrange):
    arrange.fanpage(stopped_code="token_invalid")
    mailbox.answers.append("451 try later")
    waits = [timedelta(seconds=n) for n in (0, 20, 61, 62)]
    assert [send_alerts(now=arrange.now + wait) for wait in waits] == [1, 0, 1, 0]
    assert (len(mailbox.mails), len(hook.told)) == (1, 1)


def test_a_failure_is_shown_until_it_works_without_the_password(mailbox, arrange, capsys):
    arrange.fanpage(stopped_code="token_invalid")
    mailbox.login_answer = f"535 wrong: {SECRETS}"
    send_alerts(now=arrange.now)
    (state,) = list_channels(channels())
    assert state.problem == "535 wrong: [removed]"
    assert state.failed_at == arrange.now
    assert SECRETS not in "".join(capsys.readouterr())
    mailbox.login_answer = "235 ok"
    send_alerts(now=arrange.now + timedelta(minutes=1))
    (state,) = list_channels(channels())
    assert (state.problem, state.failed_at) == (None, None)


def test_addresses_that_the_mail_server_refuses_are_a_problem_in_the_readers_language(mailbox, arrange):
    mailbox.receiver_answer = "550 no such user {here}"
    with pytest.raises(alert_channels.NotTaken) as refused:
        alert_channels.send(Channel.EMAIL, "Thử", "Thử")
    assert "OTN_ALERT_EMAIL" in say_in("vi")(str(refused.value)) != str(refused.value)


@pytest.mark.parametrize("trouble", ["closed", "tls"])
def test_a_mail_server_that_cannot_be_spoken_to_is_a_problem_and_no_crash(
    mailbox, arrange, monkeypatch, trouble
):
    if trouble == "closed":
        mailbox.close()
    else:
        monkeypatch.setenv("OTN_SMTP_SECURITY", "starttls")
        settings.cache_clear()
    arrange.fanpage(stopped_code="token_invalid")
    assert send_alerts(now=arrange.now) == 0
    (state,) = list_channels(channels())
    assert state.problem


def test_a_name_with_a_line_break_makes_no_header(mailbox, arrange):
    paused(arrange, CANARY_FAILED, name="Tết\r\nBcc: thief@evil.example")
    send_alerts(now=arrange.now)
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None


def test_dead_events_are_told_of_once_a_day(mailbox, arrange):
    numbers = count()
    told = []
    for day in (0, 0, 1, 1):
        later = arrange.now + timedelta(days=day)
        event(arrange, next(numbers), received_at=later)
        told.append(send_alerts(now=later))
    assert told == [1, 0, 1, 0]


def test_use_or_lose_is_told_once_a_week(mailbox, arrange):
    fanpage_id = arrange.fanpage()
    topic_id = arrange.topic(fanpage_id)
    soon = arrange.now - timedelta(days=362)
    for _ in range(3):
        arrange.opt_in(topic_id, arrange.customer(fanpage_id), fanpage_id=fanpage_id, consented_at=soon)
    counting.count_opt_ins(now=arrange.now)
    assert [send_alerts(now=arrange.now) for _ in range(2)] == [1, 0]
    (mail,) = mailbox.mails
    assert "3 lượt đồng ý sắp hết hạn" in mail["Subject"]
    assert "KH nhận khuyến mãi SP mới: 3" in mail.get_content()


def test_what_else_needs_a_person_is_a_condition(mailbox, arrange):
    stopped = arrange.fanpage("A", stopped_code="token_invalid")
    problem = arrange.fanpage("B", problems=["no_webhook_yet"])
    off = arrange.fanpage("C", otn_off_at=arrange.now, otn_off_by="lan")
    policy = arrange.fanpage("D", policy_action="block", policy_at=arrange.now)
    arrange.save(Backup(made_at=arrange.now, problem="disk full"))
    past = arrange.now - timedelta(minutes=5)
    with transaction() as db:
        db.add(Heartbeat(process="webhook here:1:a", at=past, started_at=past))
    hold_actions.stop_sending(COMMAND_LINE, now=arrange.now)
    keys = {each.key for each in find_conditions(now=arrange.now)}
    wanted = {
        "hold:stopped",
        "webhook.silent",
        f"fanpage.stopped:{stopped}",
        f"fanpage.no_webhook_yet:{problem}",
        f"fanpage.otn_off:{off}",
        f"fanpage.policy:{policy}:block",
    }
    assert wanted <= keys
    assert any(key.startswith("backup:") for key in keys) == (not settings().is_postgresql)


@pytest.mark.sqlite
def test_one_trouble_with_the_backups_does_not_hide_another(mailbox, arrange):
    former = sqlite_file().with_name(f"{sqlite_file().stem}.before-restore-1{sqlite_file().suffix}")
    former.touch()
    try:
        later = datetime.fromtimestamp(former.stat().st_mtime, UTC) + timedelta(days=31)
        told = [send_alerts(now=later)]
        arrange.save(Backup(made_at=later, problem="disk full"))
        told += [send_alerts(now=later) for _ in range(2)]
    finally:
        former.unlink()
    assert told == [1, 1, 0]
    assert "disk full" in mailbox.mails[-1].get_content()


def test_a_broadcast_that_a_person_paused_is_none(mailbox, arrange):
    change(Broadcast, paused(arrange, CANARY_FAILED), pause_code=None)
    assert find_conditions(now=arrange.now) == []


def test_a_test_alert_leaves_with_the_worker(mailbox, arrange):
    actions.ask_for_test(COMMAND_LINE, now=arrange.now)
    assert list_channels([Channel.EMAIL])[0].test_asked_at == arrange.now
    for _ in range(2):
        send_alerts(now=arrange.now)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Notify Once] Cảnh báo thử"
    state = list_channels([Channel.EMAIL])[0]
    assert (state.test_asked_at, state.sent_at) == (None, arrange.now)


def test_a_test_from_the_command_line_says_why_it_failed(mailbox, arrange):
    mailbox.answers.append("550 no such mailbox")
    with pytest.raises(OperatorError, match="550 no such mailbox"):
        actions.send_test(COMMAND_LINE, now=arrange.now)
    assert actions.send_test(COMMAND_LINE, now=arrange.now) == ["email"]


def test_without_a_channel_a_test_says_what_to_set(arrange):
    with pytest.raises(OperatorError, match="OTN_ALERT_EMAIL"):
        actions.ask_for_test(COMMAND_LINE, now=arrange.now)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_HOST", "smtp..gmail.com"),
        ("SMTP_PASSWORD", "mật-khẩu"),
        ("SMTP_USER", "lán"),
        ("SMTP_FROM", "a@shop.vn\nBcc: b@shop.vn"),
    ],
)
def test_signs_that_no_mail_can_carry_are_a_problem_and_no_crash(
    mailbox, arrange, restart, capsys, name, value
):
    restart(**{name.lower(): value})
    arrange.fanpage(stopped_code="token_invalid")
    assert send_alerts(now=arrange.now) == 0
    (state,) = list_channels(channels())
    assert "signs that no mail can carry" in state.problem
    assert "ậ" not in state.problem
    assert "Traceback" not in "".join(capsys.readouterr())


def test_a_sign_of_html_in_a_name_does_not_keep_telegram_from_taking_it(hook, arrange, restart, monkeypatch):
    monkeypatch.setattr(NotifyTelegram, "notify_url", hook.address)
    restart(alert_url="tgram://123456789:abcdefg_hijklmnop/12315544/")
    paused(arrange, CANARY_FAILED, name="Váy <3 & áo")
    assert send_alerts(now=arrange.now) == 1
    (told,) = hook.told
    assert told["parse_mode"] == "HTML"
    assert "Váy &lt;3 &amp; áo" in told["text"]
    assert "<3" not in told["text"]


@pytest.mark.parametrize("broken", ["json://127.0.0.1:1/nobody", "nothing://x"])
def test_a_broken_address_does_not_tell_the_others_again(hook, arrange, restart, broken):
    restart(alert_url=f"{broken}, {settings().alert_url.get_secret_value()}")
    arrange.fanpage(stopped_code="token_invalid")
    assert [send_alerts(now=arrange.now + timedelta(hours=n)) for n in range(3)] == [1, 0, 0]
    assert len(hook.told) == 1


def test_nobody_else_tells_while_a_slow_server_takes_its_time(mailbox, arrange, monkeypatch):
    arrange.fanpage(stopped_code="token_invalid")
    again, send = [], alert_channels.send

    def slow(*what: Any) -> None:
        if not again:
            again.append(None)
            again.append(send_alerts(now=arrange.now + timedelta(minutes=4)))
        send(*what)

    monkeypatch.setattr(alert_channels, "send", slow)
    assert send_alerts(now=arrange.now) == 1
    assert (again, len(mailbox.mails)) == ([None, 0], 1)


def test_a_claim_lasts_from_when_its_channel_has_its_turn(mailbox, hook, arrange, monkeypatch):
    arrange.fanpage(stopped_code="token_invalid")
    passed, claims = count(step=240), []

    def keep_claims(channel: Channel, *_what: str) -> None:
        with reading() as db:
            rows = db.scalars(select(Alert).where(col(Alert.channel) == channel))
            claims.extend(row.next_try_at - arrange.now for row in rows)

    monkeypatch.setattr(alert_jobs, "time", SimpleNamespace(monotonic=lambda: next(passed)))
    monkeypatch.setattr(alert_channels, "send", keep_claims)
    assert send_alerts(now=arrange.now) == 2
    assert claims == [timedelta(minutes=9), timedelta(minutes=13)]
