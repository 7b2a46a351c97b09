"""A backup whose file is copied over the database, without `restore`, sends nothing until it is released."""

from __future__ import annotations

import shutil
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from core.accounts.rules import COMMAND_LINE
from core.backups import actions
from core.backups.restored import hold_unreleased_copy
from core.backups.restoring import restore
from core.backups.scheduled_jobs import make_nightly_backup
from core.broadcasts import actions as broadcasts
from core.broadcasts import scheduled_jobs
from core.db import holding
from core.db.engine import forget_engines
from core.db.holding import HoldCode
from core.installation import hold_actions, key_check
from core.sending import work_snapshot
from tests.processes import process, until

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("fresh_database")]


def copy_back(backup: Path, there: Path) -> None:
    """As somebody does by hand, while nothing runs."""
    forget_engines()
    key_check.forget_checked()
    for end in ("-wal", "-shm"):
        there.with_name(there.name + end).unlink(missing_ok=True)
    shutil.copyfile(backup, there)


def test_what_was_scheduled_in_it_waits_for_the_release(fresh_database, arrange, tmp_path, now):
    fanpage = arrange.fanpage()
    topic = arrange.topic(fanpage)
    arrange.opt_in(topic, arrange.customer(fanpage), fanpage_id=fanpage, token="a")
    content = {"kind": "text", "text": "Đã về!"}
    broadcast = broadcasts.create_broadcast(COMMAND_LINE, topic_id=topic, content=content, now=now)
    broadcasts.schedule(COMMAND_LINE, broadcast, at=None, now=now)
    actions.make_backup(COMMAND_LINE, tmp_path / "backup.db", now=now)
    scheduled_jobs.start_due(now=now)
    copy_back(tmp_path / "backup.db", Path(fresh_database.name))

    assert hold_unreleased_copy(now=now)
    assert holding.current_hold().code == HoldCode.RESTORED
    scheduled_jobs.start_due(now=now)
    assert work_snapshot.fanpages_with_work(now=now) == []
    hold_actions.release_hold(COMMAND_LINE, now=now)
    assert not hold_unreleased_copy(now=now)
    scheduled_jobs.start_due(now=now)
    assert work_snapshot.fanpages_with_work(now=now) == [fanpage]


@pytest.mark.parametrize("arguments", [["core", "worker"], ["core", "run"]], ids=" ".join)
def test_a_process_that_sends_asks_before_it_begins(fresh_database, tmp_path, now, arguments):
    actions.make_backup(COMMAND_LINE, tmp_path / "backup.db", now=now)
    copy_back(tmp_path / "backup.db", Path(fresh_database.name))
    with process("-m", *arguments, log=tmp_path / "said.log"):
        until(lambda: holding.current_hold() is not None, what="a hold")


HAPPENS = st.sampled_from(["back up", "copy back", "restore", "release", "stop", "night"])


@hypothesis(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(HAPPENS, max_size=9))
def test_a_copy_is_held_until_it_is_released_whatever_happens(
    databases, fresh_database, tmp_path, now, steps
):
    databases.empty(fresh_database)
    key_check.forget_checked()
    key_check.refuse_another_key()
    there, numbers = Path(fresh_database.name), count()
    copies: list[Path] = []
    must_be_held = False
    for hours, step in enumerate(["back up", *steps]):
        at = now + timedelta(hours=30 * hours)
        if step == "back up":
            copies.append(tmp_path / f"copy-{hours}-{next(numbers)}.db")
            copies[-1].unlink(missing_ok=True)
            actions.make_backup(COMMAND_LINE, copies[-1], now=at)
        elif step == "copy back":
            copy_back(copies[hours % len(copies)], there)
            must_be_held = True
        elif step == "restore":
            forget_engines()
            key_check.forget_checked()
            restore(copies[hours % len(copies)], now=at, say=lambda _said: None).former.unlink()
            must_be_held = True
        elif step == "night":
            make_nightly_backup(now=at)
        elif step == "stop" and holding.current_hold() is None:
            hold_actions.stop_sending(COMMAND_LINE, now=at)
        elif step == "release" and holding.current_hold() is not None:
            hold_actions.release_hold(COMMAND_LINE, now=at)
            must_be_held = False
        hold_unreleased_copy(now=at)  # a process starts
        found = holding.current_hold()
        is_restored = found is not None and found.code == HoldCode.RESTORED
        assert is_restored == must_be_held, step
