"""Every action that takes an actor, with the permission it needs and a call of it that would succeed."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
from PIL import Image

from core.accounts import actions as accounts
from core.accounts import exporting, list_columns, second_factor, sessions, unlocking
from core.accounts.passwords import hash_password
from core.accounts.rules import SYSTEM, Actor, Permission, Role
from core.accounts.single_sign_on import linking
from core.accounts.single_sign_on.rules import Identity
from core.alerts import actions as alerts
from core.backups import actions as backups
from core.backups import restored
from core.broadcasts import actions as broadcasts
from core.broadcasts import canary, drafts, ended_broadcasts, retry, revisions
from core.broadcasts.approval_actions import ask_for_approval
from core.broadcasts.drafts import get_draft
from core.broadcasts.launch_rules import LaunchRules
from core.broadcasts.topic_archiving import archive_topic
from core.consent import actions as consent
from core.consent import import_runs, imports
from core.consent import withdrawal_actions as withdrawals
from core.consent.contact_limits import ContactLimits
from core.conversation import actions as conversation
from core.conversation import asking_actions, draft_actions, silence_actions, stop_word_actions
from core.conversation.drafts import BlockDraft, MessageDraft
from core.conversation.messenger_profile import actions as profiles
from core.conversation.messenger_profile.rules import DEFAULT, Item, LocaleProfile, Profile
from core.conversation.translation_actions import add_translation
from core.customers import actions as customers
from core.customers import tag_actions
from core.db.tables import Broadcast, Event, Hold, Message, Operator, OperatorSession, Tester
from core.fanpages import actions as fanpages
from core.fanpages import (
    launch_rule_actions,
    limit_actions,
    otn_switch,
    profile_publishing,
    set_up_actions,
    time_zone,
)
from core.forgetting import actions
from core.inbox import actions as inbox
from core.installation import hold_actions, key_check, rekeying
from core.moving import move
from core.pictures import actions as pictures
from core.templates import actions as templates
from core.testers import actions as testers
from core.testers import sending as testing
from tests.arrange import Arrange

PASSWORD = "correct-horse-battery"
TEXT = {"kind": "text", "text": "Hàng mới đã về!"}
DAY = timedelta(days=1)
_AMBER = "no_privacy_address"


@dataclass
class World:
    """Something of everything, and the operator who asks."""

    arrange: Arrange
    now: datetime

    def __post_init__(self) -> None:
        self.fanpage_id = self.arrange.fanpage()
        self.topic_id = self.arrange.topic(self.fanpage_id)
        self.customer_id = self.arrange.customer(self.fanpage_id)
        self.asks = self.operator("lan.anh", Role.ADMIN)
        self.operator("chi.admin", Role.ADMIN)  # so that the one who asks is not the last

    def operator(self, name: str, role: Role = Role.VIEWER, **more: object) -> int:
        since = self.now - 3 * DAY
        row = Operator(
            name=name,
            role=role,
            password_hash=hash_password(PASSWORD),
            sessions_valid_after=since,
            created_at=since,
        )
        for field, value in more.items():
            setattr(row, field, value)
        return self.arrange.save(row)

    def session_of(self, operator_id: int, **more: object) -> int:
        """A session that the browser has its cookie of."""
        values = {"key_hash": secrets.token_hex(32), "is_kept": True, "last_seen_at": self.now, **more}
        return self.arrange.save(
            OperatorSession(operator_id=operator_id, signed_in_at=self.now - DAY / 2, **values)
        )

    def other(self, **more: object) -> int:
        return self.operator("mai", **more)

    def broadcast(self, state: str = "draft", **more: object) -> int:
        values = {"content": TEXT, "name": "Tết", "created_at": self.now, "updated_at": self.now, **more}
        row = Broadcast(fanpage_id=self.fanpage_id, topic_id=self.topic_id, state=state, **values)
        return self.arrange.save(row)

    def message(self, **more: object) -> int:
        values = {"name": "Chào", "published": 1, "created_at": self.now, "updated_at": self.now}
        return self.arrange.save(Message(fanpage_id=self.fanpage_id, **{**values, **more}))

    def message_draft(self) -> int:
        content = {"blocks": [{"kind": "text", "content": {"text": "Chào"}}], "entry_points": []}
        return self.message(draft=content, published=0)

    def archived_message(self) -> int:
        return self.message(archived_at=self.now)

    def opt_in(self, topic_id: int | None = None, **more: object) -> int:
        return self.arrange.opt_in(topic_id, self.customer_id, fanpage_id=self.fanpage_id, **more)

    def archived_topic(self) -> int:
        topic_id = self.arrange.topic(self.fanpage_id, "Cũ")
        archive_topic(SYSTEM, topic_id, now=self.now)
        return topic_id

    def warned_fanpage(self) -> int:
        return self.arrange.fanpage("C", policy_action="warning", policy_at=self.now)

    def marked_customer(self) -> int:
        marked = {"unreachable_code": "blocked", "unreachable_at": self.now}
        return self.arrange.customer(self.fanpage_id, **marked)

    def held(self) -> None:
        values = {"code": "restored", "place": "", "key": "", "at": self.now}
        self.arrange.save(Hold(id=1, **values))


Call = Callable[[Actor], object]


@dataclass(frozen=True)
class Trial:
    """`prepare` makes what the action needs and returns the call; `own`: on the asking operator's account;
    `of_all`: it concerns all fanpages, so that nobody does it who is limited to some."""

    needs: Permission
    prepare: Callable[[World], Call]
    own: bool = False
    of_all: bool = False
    ends_well: bool = True  # else it goes on past the permission to an error of its own


def _replay_one(w: World) -> Call:
    at = {"occurred_at": w.now, "received_at": w.now}
    w.arrange.fanpage("Hoa", page_id="1")
    failed = Event(page_id="1", kind="read", dedupe_key="1", body="{}", state="failed", **at)
    event_id = w.arrange.save(failed)
    return lambda by: inbox.replay_one(by, event_id, now=w.now)


def _import(w: World) -> Call:
    data = f"psid,token,consented_at\n240700000000001,tok-1,{(w.now - DAY).isoformat()}\n".encode()
    what = {"topic_id": w.topic_id, "data": data, "now": w.now}
    return lambda by: imports.import_opt_ins(by, w.fanpage_id, **what)


def _connect(w: World) -> Call:
    what = {"page_id": "100200", "name": "Hoa", "token": "EAAB", "check": False, "now": w.now}
    return lambda by: fanpages.connect(by, **what)


def _after_repair(w: World) -> Call:
    stopped = w.arrange.fanpage("B", stopped_code="token_dead", stopped_at=w.now)
    return lambda by: fanpages.resume_after_repair(by, stopped, now=w.now)


def _save_message(w: World) -> Call:
    blocks = [BlockDraft("text", {"text": "Chào bạn", "fallback": ""})]
    what = {"name": "Chào", "blocks": blocks, "entry_points": [], "now": w.now}
    return lambda by: conversation.save_message(by, w.fanpage_id, **what)


def _move(w: World) -> Call:
    return lambda by: move.Move(by, "sqlite:///nowhere.db", lambda: w.now, print, 1.0).run()


def _release(w: World) -> Call:
    w.held()
    return lambda by: hold_actions.release_hold(by, now=w.now)


def _keep_draft(w: World) -> Call:
    draft = drafts.get_draft(w.broadcast())
    changed = replace(draft, name="Tết 2027")
    return lambda by: drafts.keep_draft(by, changed, began=draft, now=w.now)


def _add_translation(w: World) -> Call:
    message = w.message()
    return lambda by: add_translation(by, message, "en", now=w.now)


def _write_message(w: World) -> Call:
    draft = draft_actions.get_draft(w.message())
    changed = replace(draft, name="Chào bạn")
    return lambda by: draft_actions.keep_draft(by, changed, began=draft, now=w.now)


def _begin_message(w: World) -> Call:
    written = MessageDraft("Chào", [], [])
    return lambda by: draft_actions.create_draft(by, w.fanpage_id, written, now=w.now)


def _profile(w: World) -> Profile:
    return Profile({DEFAULT: LocaleProfile(greeting="Chào bạn", ice_breakers=(Item(title="Giá?"),))})


def _save_profile(w: World) -> Call:
    return lambda by: profiles.save_profile(by, w.fanpage_id, _profile(w), seen=0, now=w.now)


def _publish_profile(w: World) -> Call:
    """It goes past the permission to the question that leads nowhere."""
    version = profiles.save_profile(SYSTEM, w.fanpage_id, _profile(w), seen=0, now=w.now)
    what = {"seen": "", "version": version, "now": w.now}
    return lambda by: profile_publishing.publish(by, w.fanpage_id, **what)


def _picture(w: World) -> Call:
    drawn = io.BytesIO()
    Image.new("RGB", (4, 4)).save(drawn, "PNG")
    return lambda by: pictures.add_picture(by, w.fanpage_id, drawn.getvalue(), now=w.now)


def _end_silence(w: World) -> Call:
    customer_id = w.arrange.customer(w.fanpage_id, colleague_at=w.now)
    return lambda by: silence_actions.end_silence(by, customer_id, now=w.now)


def _close_notice(w: World) -> Call:
    ended = w.broadcast("finished", launched_by="lan.anh", finished_at=w.now)
    return lambda by: ended_broadcasts.close_notice(by, ended, now=w.now)


def _set_limits(w: World) -> Call:
    limits = ContactLimits(broadcasts_a_week=3)
    return lambda by: limit_actions.set_limits(by, w.fanpage_id, limits, now=w.now)


def _backup(w: World) -> Call:
    return lambda by: backups.make_backup(by, Path("/nowhere/at/all.db"), now=w.now)


def _carry_over(w: World) -> Call:
    return lambda by: backups.carry_over_from(by, "sqlite:///nowhere.db", now=w.now)


def _limit(w: World) -> Call:
    mai = w.other()
    return lambda by: accounts.limit_to_fanpages(by, mai, [w.fanpage_id], now=w.now)


def _choose_columns(w: World) -> Call:
    return lambda by: list_columns.choose_columns(by, "opt_ins", ["topic"], now=w.now)


def _apply_revision(w: World) -> Call:
    scheduled = w.broadcast("scheduled", due_at=w.now + DAY)
    draft = revisions.begin(SYSTEM, scheduled, now=w.now)
    version = get_draft(draft).version
    return lambda by: revisions.apply(by, draft, version=version, now=w.now)


def _begin_import(w: World) -> Call:
    what = {"topic_id": w.topic_id, "file_name": "old.csv", "data": b"psid,token", "now": w.now}
    return lambda by: import_runs.begin_import(by, w.fanpage_id, **what)


def _undo_import(w: World) -> Call:
    data = f"psid,token,consented_at\n240700000000001,tok-1,{(w.now - DAY).isoformat()}\n".encode()
    what = {"topic_id": w.topic_id, "file_name": "old.csv", "data": data, "now": w.now}
    begun = import_runs.begin_import(SYSTEM, w.fanpage_id, **what)
    import_runs.run_imports(now=w.now)
    return lambda by: import_runs.undo_import(by, begun, now=w.now)


def _delete_tag(w: World) -> Call:
    tag_actions.add_tag(SYSTEM, w.customer_id, "VIP", now=w.now)
    return lambda by: tag_actions.delete_tag(by, 1, now=w.now)


def _set_addresses(w: World) -> Call:
    given = {"privacy": "https://shop.vn/privacy", "deletion": "https://shop.vn/deletion"}
    return lambda by: set_up_actions.set_addresses(by, **given, now=w.now)


def _broadcast_template(w: World) -> int:
    return templates.save_broadcast(SYSTEM, w.broadcast(), name="Tết", now=w.now)


def _message_template(w: World) -> int:
    return templates.save_message(SYSTEM, w.message_draft(), name="Chào", now=w.now)


def _on(
    action: Callable[..., object], made: Callable[[World], int], **more: object
) -> Callable[[World], Call]:
    """A call of an action on a thing that is made for it."""

    def prepare(w: World) -> Call:
        about = made(w)
        return lambda by: action(by, about, now=w.now, **more)

    return prepare


def _broadcast(state: str, **more: object) -> Callable[[World], int]:
    return lambda w: w.broadcast(state, **more)


V, E, S, A = Permission.VIEW, Permission.EDIT, Permission.SEND, Permission.ADMIN
_OTHER, _DISABLED = (lambda w: w.other()), (lambda w: w.other(disabled_at=w.now))
_ACCOUNT = {
    "add_operator": Trial(
        A, lambda w: lambda by: accounts.add_operator(by, "vy", "viewer", PASSWORD, now=w.now), of_all=True
    ),
    "invite_operator": Trial(
        A, lambda w: lambda by: accounts.invite_operator(by, "vy", "viewer", now=w.now), of_all=True
    ),
    "change_role": Trial(
        A, _on(lambda by, i, now: accounts.change_role(by, i, "editor", now=now), _OTHER), of_all=True
    ),
    "disable_operator": Trial(A, _on(accounts.disable_operator, _OTHER), of_all=True),
    "enable_operator": Trial(A, _on(accounts.enable_operator, _DISABLED), of_all=True),
    "reset_password": Trial(A, _on(accounts.reset_password, _OTHER), of_all=True),
    "end_sessions": Trial(A, _on(accounts.end_sessions, _OTHER), of_all=True),
    "change_own_password": Trial(
        V,
        lambda w: lambda by: accounts.change_own_password(by, PASSWORD, "another-good-one", now=w.now),
        own=True,
    ),
    "set_language": Trial(V, lambda w: lambda by: accounts.set_language(by, "en", now=w.now), own=True),
}
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def _code(world: World) -> str:
    return pyotp.TOTP(_SECRET).at(world.now)


_SECOND_FACTOR = {
    "enable": Trial(V, lambda w: lambda by: second_factor.enable(by, _SECRET, _code(w), now=w.now), own=True),
    "disable_own": Trial(
        V, lambda w: lambda by: second_factor.disable_own(by, _code(w), now=w.now), own=True
    ),
    "disable_of": Trial(A, _on(second_factor.disable_of, World.other), of_all=True),
}
_WHO = Identity("https://sso.example", "42", "Lan Anh", Role.VIEWER)
_LINKING = {
    "prove_password": Trial(
        V, lambda w: lambda by: linking.prove_password(by, PASSWORD, now=w.now), own=True
    ),
    "link": Trial(V, lambda w: lambda by: linking.link(by, _WHO, "203.0.113.9", now=w.now), own=True),
    "unlink": Trial(
        A, _on(linking.unlink, lambda w: w.other(sso_issuer=_WHO.issuer, sso_subject="7")), of_all=True
    ),
}
_ACCOUNT["set_exports"] = Trial(A, _on(accounts.set_exports, World.other, allowed=True), of_all=True)
_UNLOCKING = {
    "unlock": Trial(A, _on(unlocking.unlock, lambda w: (w.other(), "mai")[1]), of_all=True),
    "unlock_address": Trial(A, _on(unlocking.unlock_address, lambda w: "203.0.113.9"), of_all=True),
}
_ACCOUNT["limit_to_fanpages"] = Trial(A, _limit, of_all=True)
_BROADCASTS = {
    "create_broadcast": Trial(
        E,
        lambda w: lambda by: broadcasts.create_broadcast(by, topic_id=w.topic_id, content=TEXT, now=w.now),
    ),
    "copy_broadcast": Trial(E, _on(broadcasts.copy_broadcast, _broadcast("finished"))),
    "delete_draft": Trial(E, _on(broadcasts.delete_draft, _broadcast("draft"))),
    "schedule": Trial(S, _on(broadcasts.schedule, _broadcast("draft"), at=None)),
    "launch": Trial(S, _on(broadcasts.launch, _broadcast("draft"))),
    "unschedule": Trial(S, _on(broadcasts.unschedule, _broadcast("scheduled"))),
    "pause": Trial(S, _on(broadcasts.pause, _broadcast("sending"))),
    "resume": Trial(S, _on(broadcasts.resume, _broadcast("paused"))),
    "cancel": Trial(S, _on(broadcasts.cancel, _broadcast("sending"))),
}
_RETRY = {
    name: Trial(S, _on(getattr(retry, name), _broadcast("finished")))
    for name in ("count_as_sent", "try_again", "retry_failed", "release_undecided", "send_to_rest")
}
_CONSENT = {
    "create_topic": Trial(E, _on(consent.create_topic, lambda w: w.fanpage_id, name="Mới")),
    "edit_topic": Trial(E, _on(consent.edit_topic, lambda w: w.topic_id, name="Mới", description="")),
    "restore_topic": Trial(E, _on(consent.restore_topic, World.archived_topic)),
    "make_available_again": Trial(
        S, _on(consent.make_available_again, lambda w: w.opt_in(w.topic_id, state="refused"))
    ),
    "assign_topic": Trial(E, _on(consent.assign_topic, lambda w: (w.opt_in(), w.topic_id)[1])),
}


def _tester(w: World, **more: object) -> int:
    values = {"name": "Vy", "created_at": w.now, **more}
    return w.arrange.save(Tester(fanpage_id=w.fanpage_id, **values))


def _phone(w: World) -> int:
    """A tester who may get something now."""
    until = w.now + DAY
    return _tester(w, customer_id=w.arrange.customer(w.fanpage_id, window_closes_at=until))


def _test_message(w: World) -> Call:
    tester, message = _phone(w), w.message_draft()
    return lambda by: testing.send_message_test(by, tester, message, now=w.now)


def _test_broadcast(w: World) -> Call:
    tester, broadcast = _phone(w), w.broadcast()
    return lambda by: testing.send_broadcast_test(by, tester, broadcast, now=w.now)


def _named(module: str, trials: dict[str, Trial]) -> dict[str, Trial]:
    return {f"core.{module}.{name}": trial for name, trial in trials.items()}


TRIALS: dict[str, Trial] = {
    **_named("accounts.actions", _ACCOUNT),
    **_named("accounts.second_factor", _SECOND_FACTOR),
    **_named("accounts.single_sign_on.linking", _LINKING),
    **_named("accounts.unlocking", _UNLOCKING),
    **_named("broadcasts.actions", _BROADCASTS),
    **_named("broadcasts.retry", _RETRY),
    **_named("consent.actions", _CONSENT),
    "core.accounts.sessions.sign_out": Trial(
        V, lambda w: lambda by: sessions.sign_out(by, now=w.now), own=True
    ),
    "core.accounts.sessions.end_session": Trial(
        V, _on(sessions.end_session, lambda w: w.session_of(w.asks)), own=True
    ),
    "core.accounts.exporting.record_export": Trial(
        E, lambda w: lambda by: exporting.record_export(by, "customers.csv", [w.fanpage_id], now=w.now)
    ),
    "core.broadcasts.canary.let_rest_go": Trial(
        S, _on(canary.let_rest_go, _broadcast("sending", canary_last_id=1))
    ),
    "core.broadcasts.drafts.keep_draft": Trial(E, _keep_draft),
    "core.broadcasts.ended_broadcasts.close_notice": Trial(V, _close_notice),
    "core.conversation.asking_actions.set_asking": Trial(
        E, _on(asking_actions.set_asking, lambda w: w.topic_id, asks_again=False, message_id=None)
    ),
    "core.conversation.messenger_profile.actions.save_profile": Trial(E, _save_profile),
    "core.conversation.silence_actions.end_silence": Trial(E, _end_silence),
    "core.fanpages.limit_actions.set_limits": Trial(A, _set_limits),
    "core.fanpages.profile_publishing.publish": Trial(E, _publish_profile, ends_well=False),
    "core.pictures.actions.add_picture": Trial(E, _picture),
    "core.consent.imports.import_opt_ins": Trial(E, _import),
    "core.customers.actions.lift_mark": Trial(S, _on(customers.lift_mark, World.marked_customer)),
    "core.forgetting.actions.forget": Trial(
        A, _on(actions.forget, lambda w: w.fanpage_id, psid="25000000000000099")
    ),
    "core.customers.actions.lift_marks_of": Trial(S, _on(customers.lift_marks_of, _broadcast("finished"))),
    "core.consent.withdrawal_actions.withdraw_customer": Trial(
        E, _on(withdrawals.withdraw_customer, lambda w: (w.opt_in(w.topic_id), w.customer_id)[1])
    ),
    "core.consent.withdrawal_actions.withdraw_person": Trial(
        E, _on(withdrawals.withdraw_person, lambda w: w.fanpage_id, psid="25000000000000099")
    ),
    "core.testers.actions.invite_tester": Trial(E, _on(testers.invite_tester, lambda w: w.fanpage_id)),
    "core.testers.actions.renew_code": Trial(E, _on(testers.renew_code, _tester)),
    "core.testers.actions.remove_tester": Trial(E, _on(testers.remove_tester, _tester)),
    "core.testers.sending.send_message_test": Trial(E, _test_message),
    "core.testers.sending.send_broadcast_test": Trial(E, _test_broadcast),
    "core.conversation.stop_word_actions.set_stop_words": Trial(
        A, _on(stop_word_actions.set_stop_words, lambda w: w.fanpage_id, listed=["thôi"])
    ),
    "core.conversation.actions.save_message": Trial(E, _save_message),
    "core.conversation.actions.archive_message": Trial(E, _on(conversation.archive_message, World.message)),
    "core.conversation.actions.copy_message": Trial(E, _on(conversation.copy_message, World.message)),
    "core.conversation.translation_actions.add_translation": Trial(E, _add_translation),
    "core.broadcasts.topic_archiving.archive_topic": Trial(E, _on(archive_topic, lambda w: w.topic_id)),
    "core.conversation.draft_actions.create_draft": Trial(E, _begin_message),
    "core.conversation.draft_actions.keep_draft": Trial(E, _write_message),
    "core.conversation.draft_actions.publish_message": Trial(
        E, _on(draft_actions.publish_message, World.message_draft)
    ),
    "core.conversation.draft_actions.delete_draft": Trial(
        E, _on(draft_actions.delete_draft, World.message_draft)
    ),
    "core.conversation.draft_actions.bring_back": Trial(
        E, _on(draft_actions.bring_back, World.archived_message)
    ),
    "core.fanpages.actions.connect": Trial(A, _connect, of_all=True),
    "core.fanpages.actions.set_rate": Trial(A, _on(fanpages.set_rate, lambda w: w.fanpage_id, rate=30)),
    "core.fanpages.actions.resume_after_repair": Trial(A, _after_repair),
    "core.fanpages.actions.see_policy": Trial(S, _on(fanpages.see_policy, World.warned_fanpage)),
    "core.fanpages.time_zone.change_zone": Trial(
        A, _on(time_zone.change_zone, lambda w: w.fanpage_id, zone="Asia/Tokyo", keep=None)
    ),
    "core.backups.restored.hold_restored": Trial(
        A, lambda w: lambda by: restored.hold_restored(by, now=w.now), of_all=True
    ),
    "core.installation.hold_actions.release_hold": Trial(A, _release, of_all=True),
    "core.installation.hold_actions.stop_sending": Trial(
        S, lambda w: lambda by: hold_actions.stop_sending(by, now=w.now), of_all=True
    ),
    "core.installation.rekeying.rekey": Trial(
        A, lambda w: lambda by: rekeying.rekey(by, new_key="short", now=w.now), ends_well=False, of_all=True
    ),
    "core.installation.rekeying.rekey_from": Trial(
        A, lambda w: lambda by: rekeying.rekey_from(by, "short", now=w.now), ends_well=False, of_all=True
    ),
    "core.alerts.actions.ask_for_test": Trial(
        A, lambda w: lambda by: alerts.ask_for_test(by, now=w.now), ends_well=False, of_all=True
    ),
    "core.alerts.actions.send_test": Trial(
        A, lambda w: lambda by: alerts.send_test(by, now=w.now), ends_well=False, of_all=True
    ),
    "core.backups.actions.make_backup": Trial(A, _backup, ends_well=False, of_all=True),
    "core.backups.actions.carry_over_from": Trial(A, _carry_over, ends_well=False, of_all=True),
    "core.accounts.list_columns.choose_columns": Trial(V, _choose_columns),
    "core.broadcasts.approval_actions.ask_for_approval": Trial(E, _on(ask_for_approval, _broadcast("draft"))),
    "core.broadcasts.revisions.begin": Trial(E, _on(revisions.begin, _broadcast("scheduled"))),
    "core.broadcasts.revisions.apply": Trial(S, _apply_revision),
    "core.consent.import_runs.begin_import": Trial(E, _begin_import),
    "core.consent.import_runs.undo_import": Trial(E, _undo_import),
    "core.customers.tag_actions.add_tag": Trial(
        E, _on(tag_actions.add_tag, lambda w: w.customer_id, name="VIP")
    ),
    "core.customers.tag_actions.remove_tag": Trial(
        E, _on(tag_actions.remove_tag, lambda w: w.customer_id, name="VIP")
    ),
    "core.customers.tag_actions.delete_tag": Trial(E, _delete_tag),
    "core.fanpages.launch_rule_actions.set_launch_rules": Trial(
        A, _on(launch_rule_actions.set_launch_rules, lambda w: w.fanpage_id, rules=LaunchRules())
    ),
    "core.fanpages.otn_switch.switch_otn_off": Trial(
        A, _on(otn_switch.switch_otn_off, lambda w: w.fanpage_id)
    ),
    "core.fanpages.otn_switch.switch_otn_on": Trial(A, _on(otn_switch.switch_otn_on, lambda w: w.fanpage_id)),
    "core.fanpages.set_up_actions.accept": Trial(
        A, lambda w: lambda by: set_up_actions.accept(by, _AMBER, fanpage_id=None, now=w.now), of_all=True
    ),
    "core.fanpages.set_up_actions.take_back": Trial(
        A, lambda w: lambda by: set_up_actions.take_back(by, _AMBER, fanpage_id=None, now=w.now), of_all=True
    ),
    "core.fanpages.set_up_actions.set_addresses": Trial(A, _set_addresses, of_all=True),
    "core.inbox.actions.replay": Trial(A, lambda w: lambda by: inbox.replay(by, now=w.now), of_all=True),
    "core.inbox.actions.replay_one": Trial(A, _replay_one),
    "core.installation.key_check.accept_key": Trial(
        A, lambda w: lambda by: key_check.accept_key(by, now=w.now), of_all=True
    ),
    "core.templates.actions.save_broadcast": Trial(
        E, _on(templates.save_broadcast, _broadcast("draft"), name="Tết")
    ),
    "core.templates.actions.save_message": Trial(
        E, _on(templates.save_message, World.message_draft, name="Chào")
    ),
    "core.templates.actions.begin_broadcast": Trial(E, _on(templates.begin_broadcast, _broadcast_template)),
    "core.templates.actions.begin_message": Trial(E, _on(templates.begin_message, _message_template)),
    "core.templates.actions.rename_template": Trial(
        E, _on(templates.rename_template, _message_template, name="Mới")
    ),
    "core.templates.actions.delete_template": Trial(E, _on(templates.delete_template, _message_template)),
    "core.moving.move.Move": Trial(A, _move, ends_well=False, of_all=True),
    "core.moving.move.abandon": Trial(A, lambda w: lambda by: move.abandon(by, now=w.now), of_all=True),
}
