"""Applies what Meta says about a fanpage itself: policy enforcement, and Page integrity notices."""

from __future__ import annotations

from core.accounts.activity_log import record
from core.accounts.rules import SYSTEM
from core.db.tables import Fanpage
from core.inbox.fanpage_event import EffectContext, FanpageEvent
from core.messenger import event_contents
from core.messenger.event_kinds import EventKind
from core.sending.limits.fanpage_limits import stop_fanpage
from core.text.normalise import normalise_text, storable
from core.text.utf16_units import cut

BLOCK, UNBLOCK = "block", "unblock"
RESTRICTED = "restricted"  # why a blocked fanpage is stopped, see core/messenger/reasons.py


def apply_policy_notice(context: EffectContext, event: FanpageEvent) -> None:
    """Stop a fanpage that Meta has blocked, unless a newer block or unblock is known already. An unblock lets
    nothing be sent by itself; only a person lets the fanpage send again."""
    notice = event_contents.read_policy_notice(event.raw)
    action = storable(notice.action or "").strip().lower()
    fanpage = context.db.get_one(Fanpage, event.fanpage_id)
    is_outdated = fanpage.policy_ruled_at is not None and fanpage.policy_ruled_at > event.at
    if action in (BLOCK, UNBLOCK) and not is_outdated:
        fanpage.policy_ruled_at = event.at
    stops = action == BLOCK and not is_outdated
    _record_notice(context, event, action, notice.reason or "", always=stops)
    if stops:
        stop_fanpage(context.db, event.fanpage_id, RESTRICTED, now=context.now)


def apply_integrity_notice(context: EffectContext, event: FanpageEvent) -> None:
    """Record a Page integrity notice for staff to see. It need not concern messages, so it stops nothing."""
    _record_notice(context, event, EventKind.INTEGRITY, event_contents.read_integrity_notice(event.raw) or "")


def _record_notice(
    context: EffectContext, event: FanpageEvent, action: str, reason: str, *, always: bool = False
) -> None:
    """Show staff the latest notice, or with `always` this one although a later one is known."""
    reason = cut(normalise_text(reason), 500)
    fanpage = context.db.get_one(Fanpage, event.fanpage_id)
    if always or fanpage.policy_at is None or fanpage.policy_at < event.at:
        fanpage.policy_action, fanpage.policy_reason = action[:16], reason
        fanpage.policy_at, fanpage.policy_seen_at = event.at, None
    context.db.flush()
    record(
        context.db,
        SYSTEM,
        "fanpage.policy",
        now=context.now,
        fanpage_id=event.fanpage_id,
        subject_id=event.fanpage_id,
        subject=fanpage.name,
        action=action,
        reason=reason,
    )
