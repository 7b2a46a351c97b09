"""How long the bot keeps silent for a customer whom a colleague has answered from the Page's inbox (pure).

How many hours is a limit of the fanpage: core/consent/contact_limits.py.
"""

from __future__ import annotations

from datetime import datetime, timedelta


def silent_until(colleague_at: datetime | None, ended_at: datetime | None, hours: int) -> datetime | None:
    """Until when the bot is silent, which may have passed; None: it is not. `colleague_at` is when a
    colleague last wrote, `ended_at` when staff last let the bot answer again."""
    if colleague_at is None or not hours or (ended_at is not None and ended_at >= colleague_at):
        return None
    return colleague_at + timedelta(hours=hours)


def is_silent(colleague_at: datetime | None, ended_at: datetime | None, hours: int, now: datetime) -> bool:
    """Whether the bot is silent now."""
    until = silent_until(colleague_at, ended_at, hours)
    return until is not None and until > now
