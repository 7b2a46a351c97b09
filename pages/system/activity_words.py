"""The activity log's verbs as sentences: what somebody did, to what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

from core.errors import N_
from pages.components.states import STATES
from pages.components.texts import _, number, state_label
from pages.system.setting_words import only_changed, setting_in_words

NOUNS: dict[str, str] = {
    "broadcast": N_("Broadcasts"),
    "message": N_("Messages"),
    "template": N_("Templates"),
    "topic": N_("OTN topics"),
    "opt_in": N_("Opt-ins"),
    "customer": N_("Customers"),
    "tag": N_("Tags"),
    "fanpage": N_("Fanpages"),
    "tester": N_("Testers"),
    "operator": N_("Users"),
    "event": N_("Webhooks"),
    "export": N_("Exports"),
    "alert": N_("Alerts"),
    "installation": N_("Installation"),
}
DEEDS: dict[str, str] = {
    "broadcast.create": N_("drafted the broadcast {subject}"),
    "broadcast.change": N_("changed the broadcast {subject}"),
    "broadcast.copy": N_("duplicated the broadcast {subject}"),
    "broadcast.delete": N_("deleted the draft {subject}"),
    "broadcast.schedule": N_("scheduled the broadcast {subject}"),
    "broadcast.revise_begin": N_("began to change the scheduled broadcast {subject}"),
    "broadcast.revise": N_("changed the broadcast {subject} while it stayed scheduled"),
    "broadcast.ask_approval": N_("asked for approval of the broadcast {subject}"),
    "broadcast.unschedule": N_("took the broadcast {subject} off the schedule"),
    "broadcast.launch": N_("launched the broadcast {subject}"),
    "broadcast.start": N_("started the broadcast {subject}"),
    "broadcast.gather": N_("added all recipients of {subject}"),
    "broadcast.pause": N_("paused the broadcast {subject}"),
    "broadcast.resume": N_("resumed the broadcast {subject}"),
    "broadcast.cancel": N_("cancelled the broadcast {subject}"),
    "broadcast.finish": N_("finished the broadcast {subject}"),
    "broadcast.miss": N_("skipped the broadcast {subject}: its send-by time had passed"),
    "broadcast.stop_itself": N_("stopped the broadcast {subject}: too many opt-ins were refused"),
    "broadcast.pause_itself": N_(
        "paused the broadcast {subject}: many customers were refused for the same reason"
    ),
    "broadcast.stop_after_first": N_("paused the broadcast {subject} because its first part went badly"),
    "broadcast.go_on_after_first": N_("continued the broadcast {subject} after a good first part"),
    "broadcast.release_rest": N_("sent the rest of the broadcast {subject}"),
    "broadcast.count_as_sent": N_("counted deliveries in doubt of {subject} as sent"),
    "broadcast.try_again": N_("retried deliveries in doubt of {subject}"),
    "broadcast.retry_failed": N_("retried the failed deliveries of {subject}"),
    "broadcast.send_to_rest": N_("sent {subject} to those who had been left out"),
    "broadcast.lift_marks": N_("removed the “can't be reached” marks left by {subject}"),
    "broadcast.release_held": N_("returned opt-ins on hold for {subject}"),
    "broadcast.test": N_("sent the broadcast {subject} to a tester"),
    "fanpage.publish_profile": N_("published greeting, menu and questions of {subject} to Facebook"),
    "fanpage.publish_profile_in_part": N_(
        "tried to publish greeting, menu and questions of {subject}; Facebook may have some of it"
    ),
    "message.create": N_("created the message {subject}"),
    "message.change": N_("changed the message {subject}"),
    "message.translate": N_("added a language to a message: {subject}"),
    "message.copy": N_("duplicated the message {subject}"),
    "message.archive": N_("archived the message {subject}"),
    "message.publish": N_("published the message {subject}"),
    "message.delete": N_("deleted the draft of the message {subject}"),
    "message.test": N_("sent the message {subject} to a tester"),
    "message.restore": N_("restored the message {subject}"),
    "template.create": N_("saved the template {subject}"),
    "template.rename": N_("renamed the template {subject}"),
    "template.delete": N_("deleted the template {subject}"),
    "tester.invite": N_("created a code word for a tester"),
    "tester.remove": N_("took a tester off the list"),
    "topic.create": N_("created the topic {subject}"),
    "topic.edit": N_("changed the topic {subject}"),
    "topic.archive": N_("archived the topic {subject}"),
    "topic.restore": N_("restored the topic {subject}"),
    "opt_in.begin_import": N_("handed in a file of opt-ins for {subject}"),
    "opt_in.import": N_("imported opt-ins for {subject}"),
    "opt_in.undo_import": N_("undid the import of {subject}"),
    "opt_in.make_available": N_("made an opt-in of {subject} available again"),
    "opt_in.assign_topic": N_("assigned a topic to opt-ins: {subject}"),
    "customer.withdraw": N_("withdrew all opt-ins of the customer {subject}"),
    "customer.withdraw_topic": N_("withdrew a customer's opt-ins for {subject}"),
    "customer.end_silence": N_("let the chatbot answer a customer again"),
    "fanpage.set_launch_rules": N_("set quiet hours and approval for {subject}"),
    "fanpage.set_limits": N_("set the limits of {subject}"),
    "topic.set_asking": N_("set how customers are asked again about {subject}"),
    "customer.tag": N_("tagged a customer {subject}"),
    "customer.untag": N_("took the tag {subject} off a customer"),
    "tag.delete": N_("deleted the tag {subject}"),
    "customer.lift_mark": N_("removed a customer's “can't be reached” mark"),
    "customer.forget": N_("permanently erased a customer"),
    "fanpage.connect": N_("connected the fanpage {subject}"),
    "fanpage.connect_again": N_("connected {subject} again with a new access token"),
    "fanpage.change_profile": N_("changed greeting, menu or questions of {subject}"),
    "fanpage.set_rate": N_("set the sending rate of {subject}"),
    "fanpage.set_zone": N_("changed the time zone of {subject}"),
    "fanpage.set_stop_words": N_("set the stop words of {subject}"),
    "fanpage.stop": N_("stopped all sending for {subject}"),
    "fanpage.resume": N_("let {subject} send again after a fix"),
    "fanpage.policy": N_("recorded Meta's notice about {subject}"),
    "fanpage.see_policy": N_("read Meta's notice about {subject}"),
    "operator.add": N_("added the user {subject}"),
    "operator.change_role": N_("changed the role of {subject}"),
    "operator.limit_to_fanpages": N_("limited {subject} to some fanpages"),
    "operator.give_all_fanpages": N_("gave {subject} all fanpages"),
    "operator.disable": N_("disabled the user {subject}"),
    "operator.enable": N_("enabled the user {subject}"),
    "operator.reset_password": N_("reset the password of {subject}"),
    "operator.change_password": N_("changed their own password"),
    "operator.end_sessions": N_("signed {subject} out everywhere"),
    "operator.enable_second_factor": N_("set up the second factor of {subject}"),
    "operator.disable_second_factor": N_("removed the second factor of {subject}"),
    "operator.allow_exports": N_("allowed {subject} to export"),
    "operator.allow_no_exports": N_("no longer allowed {subject} to export"),
    "operator.unlock": N_("let {subject} try to sign in again"),
    "operator.unlock_address": N_("let {subject} try to sign in again"),
    "operator.end_session": N_("signed {subject} out of one browser"),
    "operator.sign_in": N_("signed in"),
    "operator.single_sign_on": N_("signed in by single sign-on"),
    "operator.add_by_single_sign_on": N_("added {subject}, who came by single sign-on"),
    "operator.change_role_by_single_sign_on": N_("changed the role of {subject} as single sign-on says"),
    "operator.link_single_sign_on": N_("changed {subject} to single sign-on"),
    "operator.unlink_single_sign_on": N_("took the company account from {subject}"),
    "operator.lose_role": N_("kept {subject} out, who has no role at single sign-on any more"),
    "operator.sign_out": N_("signed out"),
    "installation.stop": N_("stopped all sending of the installation"),
    "installation.go_on": N_("let the installation send again"),
    "installation.set_addresses": N_("entered the addresses that Meta asks for"),
    "fanpage.accept": N_("confirmed or accepted a set-up step: {subject}"),
    "fanpage.take_back": N_("took back a confirmation of a set-up step: {subject}"),
    "fanpage.otn_off": N_("turned one-time notifications off for {subject}"),
    "fanpage.otn_on": N_("turned one-time notifications on for {subject}"),
    "installation.hold": N_("put the installation on hold after a restore"),
    "installation.release": N_("let the restored installation send"),
    "installation.move_in": N_("moved the installation to this database"),
    "installation.accept_key": N_("changed the installation to another key"),
    "export.make": N_("exported: {subject}"),
    "installation.backup": N_("made a backup"),
    "installation.restore": N_("restored a backup"),
    "alert.test": N_("asked for a test alert"),
    "installation.rekey": N_("gave the installation a new key"),
    "event.replay": N_("replayed failed webhook events"),
    "operator.last_try": N_("locked sign-in for {subject} after too many failed attempts"),
}

DETAILS: dict[str, str] = {
    "role": N_("role"),
    "was": N_("before"),
    "fanpages": N_("fanpages"),
    "were": N_("before"),
    "address": N_("address"),
    "browser": N_("browser"),
    "rate": N_("messages per second"),
    "zone": N_("time zone"),
    "kept": N_("they keep"),
    "planned": N_("scheduled broadcasts"),
    "people": N_("people"),
    "count": N_("opt-ins"),
    "imported": N_("imported"),
    "duplicates": N_("already there"),
    "rejected": N_("rejected"),
    "withdrawn": N_("opted out"),
    "returned": N_("opt-ins returned"),
    "broadcasts": N_("broadcasts resumed"),
    "events": N_("events"),
    "before": N_("before"),
    "after": N_("now"),
    "text": N_("text"),
    "action": N_("measure"),
    "reason": N_("reason"),
    "file": N_("file"),
    "version": N_("version"),
}


KEPT = {"moment": N_("the moment"), "local-time": N_("the local time")}


def deed(verb: str, subject: str) -> str:
    """The sentence of a verb; a verb without one shows itself."""
    if verb in DEEDS:
        return _(DEEDS[verb], subject=f"“{subject}”" if subject else "–")
    return f"{verb} {subject}".strip()


def detail_line(detail: dict[str, object]) -> str:
    """The detail's known values in one line, "role: Admin, formerly: Viewer"; the export holds all of it."""
    if {"before", "after"} <= detail.keys():
        before, after = only_changed(_read(detail["before"]), _read(detail["after"]))
        detail = {**detail, "before": before, "after": after}
    known = [(key, detail[key]) for key in DETAILS if key in detail]
    return ", ".join(f"{_(DETAILS[key])}: {_value(key, value)}" for key, value in known)


def _value(key: str, value: object) -> str:
    if isinstance(value, dict | list) or key in ("before", "after"):
        return in_words(value)
    if key in ("role", "was") and str(value) in STATES["role"]:
        return state_label("role", str(value))[0]
    if key == "kept":
        return _(KEPT[str(value)]) if str(value) in KEPT else str(value)
    return number(value) if isinstance(value, int) else str(value)


_NO_WORDS = ("kind", "url", "payload", "id")  # of a message's content


def in_words(value: object) -> str:
    """What was written, as people read it: the words of a message, or settings with their names."""
    value = _read(value)
    if isinstance(value, dict) and "kind" in value:
        return f"“{' / '.join(_words_of(value))}”"
    if isinstance(value, dict):
        return "; ".join(setting_in_words(name, each, in_words) for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    if value is None or isinstance(value, bool):
        return _("yes") if value else _("no")
    return number(value) if isinstance(value, int) else f"“{value}”" if value else "–"


def _read(value: object) -> object:
    """Settings are kept as JSON."""
    if isinstance(value, str) and value.startswith("{"):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _words_of(content: object) -> Iterator[str]:
    """All that customers read in a message."""
    if isinstance(content, dict):
        for name, inner in content.items():
            if name not in _NO_WORDS:
                yield from _words_of(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from _words_of(inner)
    elif isinstance(content, str) and content:
        yield content
