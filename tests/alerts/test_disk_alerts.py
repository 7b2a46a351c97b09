"""A disk that is filling up is told of once, by the machine that has it."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select
from sqlmodel import col

from core.alerts.scheduled_jobs import send_alerts
from core.db.engine import reading, transaction
from core.db.tables import Alert, Heartbeat
from core.installation.heartbeat import WORKER, this_machine
from core.settings import settings


@pytest.fixture
def room(arrange, monkeypatch):
    """Lets a disk have so many MB."""

    def have(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free * 1_000_000))

    return have


def disk_key(machine: str | None = None) -> str:
    return f"disk:{machine or this_machine()}:{str(settings().data_dir)[-100:]}"


def test_a_disk_that_wavers_about_the_limit_is_told_of_once(room, mailbox, arrange):
    told = []
    for free in (749, 499, 501, 499, 749, 499, 751, 700, 499):
        room(free)
        told.append(send_alerts(now=arrange.now))
    assert told == [0, 1, 0, 0, 0, 0, 0, 0, 1]


def test_a_disk_of_another_machine_is_over_only_when_no_worker_runs_there(room, mailbox, arrange):
    process = f"{WORKER} other:17:abc"
    with transaction() as db:
        db.add(Heartbeat(process=process, at=arrange.now, started_at=arrange.now))
    told = {"told_at": arrange.now, "since": arrange.now, "next_try_at": arrange.now}
    arrange.save(Alert(matter=disk_key("other"), channel="email", **told))
    room(499)
    assert [send_alerts(now=arrange.now) for _ in range(2)] == [1, 0]
    assert _kept() == {disk_key(), disk_key("other")}
    with transaction() as db:
        db.execute(delete(Heartbeat).where(col(Heartbeat.process) == process))
    send_alerts(now=arrange.now)
    assert _kept() == {disk_key()}


def _kept() -> set[str]:
    with reading() as db:
        return set(db.scalars(select(col(Alert.matter))))
