"""When the nightly backup is due, what its file is called, and which of the files are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

NIGHT_HOUR = 3
TRY_AGAIN_AFTER = timedelta(hours=1)  # after a failure
OLD_AFTER = timedelta(hours=36)  # a backup older than this is worth a warning
FIRST_WITHIN = timedelta(days=2)  # of the first start
FORMER_KEPT_FOR = timedelta(days=30)  # a database from before a restore, since then
FORMER_ANNOUNCED = timedelta(days=7)  # so long before it is deleted, staff are told
_FORMER = re.compile(r".*\.before-restore-(\d{8}-\d{6})(\.\w+)?")
_TIME = "%Y%m%d-%H%M%S"
_NAME = re.compile(r"otn-(\d{8}-\d{6})\.db")


def is_due(last_at: datetime | None, failed_at: datetime | None, *, now: datetime, zone: str) -> bool:
    """Whether a nightly backup has to be made: none was made since the last time it was three in the morning.
    A machine that is off at night makes it as soon as it runs."""
    if failed_at is not None and now - failed_at < TRY_AGAIN_AFTER:
        return False
    local = now.astimezone(ZoneInfo(zone))
    night = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    if night > local:
        night -= timedelta(days=1)
    return last_at is None or last_at < night


def file_name(at: datetime) -> str:
    """The name of a nightly backup; names sort by age."""
    return f"otn-{at:{_TIME}}.db"


def superseded(names: Iterable[str], *, kept: int) -> list[str]:
    """The nightly backups to delete so that the newest are kept. Other files are nobody's business here."""
    ours = sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)
    return ours[kept:]


def former_name(there: Path, restored_at: datetime) -> str:
    """What the database that was at `there` is called after a restore."""
    return f"{there.stem}.before-restore-{restored_at:{_TIME}}{there.suffix}"


def former_deleted_at(since: datetime, announced_at: datetime, now: datetime) -> datetime:
    """When a former database is deleted: thirty days after it was last of use, and not before staff were told
    for a week. `announced_at`: since when they are told, if that is in the last of these days."""
    due = since + FORMER_KEPT_FOR
    told_at = announced_at if announced_at >= due - FORMER_ANNOUNCED else max(now, due - FORMER_ANNOUNCED)
    return max(due, told_at + FORMER_ANNOUNCED)


def restored_at(name: str) -> datetime | None:
    """When the restore was that has left a file of this name; None when it is called otherwise, as by
    somebody who keeps it."""
    return _time_in(_FORMER.fullmatch(name))


def made_at(name: str) -> datetime | None:
    """When the nightly backup of this name was made; None for other files."""
    return _time_in(_NAME.fullmatch(name))


def _time_in(found: re.Match[str] | None) -> datetime | None:
    try:
        return datetime.strptime(found[1], _TIME).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
