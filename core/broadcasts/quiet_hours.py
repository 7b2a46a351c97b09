"""Quiet hours and days off: until when a fanpage's broadcasts wait.

In that time no broadcast starts and no message of one leaves; it goes on by itself afterwards. The bot's
answers to customers are no broadcasts and leave at any time. What is set is in launch_rules.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import structlog

from core.broadcasts.launch_rules import LaunchRules, launch_rules_of

log = structlog.get_logger(__name__)

_BLOCKS = 200  # nights and days off in a row that are looked through


def must_wait(fanpage_id: int, kept: str | None, zone: str, now: datetime) -> bool:
    """Whether a fanpage's broadcasts wait now, by the launch rules that the database keeps. Where these
    cannot be read they wait until somebody has put that right; the log says so once."""
    try:
        return quiet_until(launch_rules_of(kept), zone, now) is not None
    except Exception as problem:
        _say_unreadable(fanpage_id, kept, zone, type(problem).__name__)
        return True


@lru_cache(maxsize=1000)
def _say_unreadable(fanpage_id: int, _kept: str | None, _zone: str, problem: str) -> None:
    log.error("launch_rules_unreadable", fanpage_id=fanpage_id, error=problem)


def quiet_until(rules: LaunchRules, zone: str, now: datetime) -> datetime | None:
    """Until when nothing may leave, if that is so now."""
    moment = now
    for _ in range(_BLOCKS):
        end = _end_of_block(rules, moment.astimezone(ZoneInfo(zone)))
        if end is None:
            break
        moment = end.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return moment if moment > now else None


def _end_of_block(rules: LaunchRules, local: datetime) -> datetime | None:
    """The end, by the fanpage's clock, of the day off or the quiet hours that this moment lies in."""
    day, at = local.date(), local.time().replace(tzinfo=None)
    if day.weekday() in rules.weekdays_off or day.isoformat() in rules.days_off:
        return datetime.combine(day + timedelta(days=1), time())
    if not rules.quiet_from:
        return None
    begin, end = time.fromisoformat(rules.quiet_from), time.fromisoformat(rules.quiet_to)
    if begin < end:
        return datetime.combine(day, end) if begin <= at < end else None
    if at >= begin:
        return datetime.combine(day + timedelta(days=1), end)
    return datetime.combine(day, end) if at < end else None
