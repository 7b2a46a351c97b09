"""Every state as a word, a Material icon and a colour, so that one state looks the same everywhere."""

from __future__ import annotations

from typing import Literal

from core.errors import N_

Colour = Literal["red", "orange", "blue", "green", "violet", "gray"]
Look = tuple[str, str, Colour]  # word (to be translated), Material icon name, colour

_BROADCAST: dict[str, Look] = {
    "draft": (N_("Draft"), "edit_note", "gray"),
    "scheduled": (N_("Scheduled"), "schedule", "violet"),
    "sending": (N_("Sending"), "send", "blue"),
    "paused": (N_("Paused"), "pause_circle", "orange"),
    "finished": (N_("Finished"), "check_circle", "green"),
    "failed_much": (N_("Finished, many failed"), "error", "red"),
    "cancelled": (N_("Cancelled"), "cancel", "gray"),
    "missed": (N_("Missed"), "event_busy", "red"),
}
_DELIVERY: dict[str, Look] = {
    "queued": (N_("Queued"), "hourglass_empty", "gray"),
    "sending": (N_("Sending"), "send", "blue"),
    "sent": (N_("Sent"), "check_circle", "green"),
    "failed": (N_("Failed"), "error", "red"),
    "skipped": (N_("Skipped"), "skip_next", "gray"),
    "unknown": (N_("In doubt"), "help", "orange"),
    "cancelled": (N_("Cancelled"), "cancel", "gray"),
}
_OPT_IN: dict[str, Look] = {
    "available": (N_("Available"), "notifications_active", "green"),
    "reserved": (N_("On hold"), "lock_clock", "blue"),
    "spent": (N_("Used"), "task_alt", "gray"),
    "expired": (N_("Expired"), "event_busy", "orange"),
    "withdrawn": (N_("Withdrawn"), "person_off", "gray"),
    "refused": (N_("Refused by Messenger"), "block", "red"),
}
_EVENT: dict[str, Look] = {
    "pending": (N_("Waiting"), "hourglass_empty", "blue"),
    "applied": (N_("Processed"), "check_circle", "green"),
    "ignored": (N_("Ignored"), "do_not_disturb_on", "gray"),
    "failed": (N_("Failed"), "error", "red"),
}
_FANPAGE: dict[str, Look] = {
    "ok": (N_("Working"), "check_circle", "green"),
    "problem": (N_("Needs attention"), "warning", "orange"),
    "stopped": (N_("Stopped"), "block", "red"),
    "unchecked": (N_("Not checked recently"), "help", "orange"),
    "no_worker": (N_("Worker not running"), "cloud_off", "red"),
    "no_webhook": (N_("Webhook server not running"), "cloud_off", "red"),
    "otn_off": (N_("OTN is off"), "notifications_off", "orange"),
    "demo": (N_("Demo"), "science", "violet"),
}
_OPERATOR: dict[str, Look] = {
    "active": (N_("Active"), "check_circle", "green"),
    "disabled": (N_("Disabled"), "block", "gray"),
    "new": (N_("First password"), "key", "orange"),
}
_ROLE: dict[str, Look] = {
    "viewer": (N_("Viewer"), "visibility", "gray"),
    "editor": (N_("Editor"), "edit", "blue"),
    "sender": (N_("Sender"), "send", "violet"),
    "admin": (N_("Admin"), "shield_person", "green"),
}
_TESTER: dict[str, Look] = {
    "ready": (N_("Gets test messages"), "check_circle", "green"),
    "closed": (N_("Must write to the fanpage first"), "lock_clock", "orange"),
    "invited": (N_("Has not written the code word yet"), "hourglass_empty", "blue"),
    "expired": (N_("Code word expired"), "event_busy", "gray"),
}
STATES: dict[str, dict[str, Look]] = {
    "broadcast": _BROADCAST,
    "delivery": _DELIVERY,
    "reply": _DELIVERY,
    "opt_in": _OPT_IN,
    "event": _EVENT,
    "fanpage": _FANPAGE,
    "operator": _OPERATOR,
    "tester": _TESTER,
    "role": _ROLE,
}
