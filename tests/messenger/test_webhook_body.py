"""Webhook bodies: every documented shape is recognised, and nothing else throws us."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messenger import event_contents
from core.messenger.dedupe_keys import sha256_hex
from core.messenger.event_fields import person_of
from core.messenger.webhook_body import Malformed, parse_webhook

PAGE, PSID, AT = "100", "25381719828140932", 1458692752478


def parse(payload):
    return parse_webhook(payload, sha256_hex)


def envelope(*events, key="messaging"):
    return {"object": "page", "entry": [{"id": PAGE, "time": AT + 5, key: list(events)}]}


def event(**body):
    return {"sender": {"id": PSID}, "recipient": {"id": PAGE}, "timestamp": AT, **body}


def only(payload):
    (parsed,) = parse(payload)
    return parsed


def person(parsed):
    return person_of(parsed.raw, parsed.page_id)


OTN = {"type": "one_time_notif_req", "payload": "otn.x", "one_time_notif_token": "T-1"}
SHAPES = [
    ("message", event(message={"mid": "m_1", "text": "chào"})),
    ("message", event(message={"mid": "m_1", "attachments": [{"type": "image", "payload": {"url": "u"}}]})),
    ("deleted", event(message={"mid": "m_1", "is_deleted": True})),
    ("edit", event(message_edit={"mid": "m_1", "text": "x", "num_edit": 1})),
    ("reaction", event(reaction={"mid": "m_1", "action": "react", "emoji": "❤", "reaction": "love"})),
    ("postback", event(postback={"mid": "m_1", "title": "Bắt đầu", "payload": "GET_STARTED"})),
    ("referral", event(referral={"ref": "r", "source": "SHORTLINK", "type": "OPEN_THREAD"})),
    ("opt_in", event(optin=OTN)),
    ("opt_in_other", event(optin={"ref": "r"})),
    ("opt_in_other", event(optin={"type": "notification_messages", "notification_messages_token": "N"})),
    ("opt_in_other", event(optin={"type": "one_time_notif_req", "payload": "p"})),
    ("delivery", event(delivery={"mids": ["m_1"], "watermark": AT})),
    ("read", event(read={"watermark": AT})),
    ("handover", event(pass_thread_control={"new_owner_app_id": "1", "metadata": "x"})),
    ("handover", event(take_thread_control={"previous_owner_app_id": "1"})),
    ("handover", event(request_thread_control={"requested_owner_app_id": "1"})),
    ("handover", event(app_roles={"1": ["primary_receiver"]})),
    ("unknown", event(account_linking={"status": "linked"})),
    ("unknown", event(message="not an object")),
]


@pytest.mark.parametrize(("kind", "raw"), SHAPES)
def test_each_shape_is_recognised_and_kept_whole(kind, raw):
    parsed = only(envelope(raw))
    assert (parsed.kind, parsed.page_id, person(parsed), parsed.occurred_ms) == (kind, PAGE, PSID, AT)
    assert parsed.raw == raw


@pytest.mark.parametrize(("kind", "raw"), SHAPES)
def test_what_is_repeated_has_the_same_key_and_what_differs_another(kind, raw):
    again = copy.deepcopy(raw)
    repeated = {"object": "page", "entry": [{"id": PAGE, "time": AT + 99_999, "messaging": [again]}]}
    assert only(envelope(raw)).dedupe_key == only(repeated).dedupe_key
    others = [only(envelope(other)) for _, other in SHAPES if other != raw]
    same = [other.raw for other in others if other.dedupe_key == only(envelope(raw)).dedupe_key]
    assert all(other["message"]["mid"] == raw["message"]["mid"] for other in same), "one message, told twice"
    assert len(only(envelope(raw)).dedupe_key) == 64


def test_an_echo_is_about_its_recipient():
    raw = {
        "sender": {"id": PAGE},
        "recipient": {"id": PSID},
        "timestamp": AT,
        "message": {"is_echo": True, "app_id": 9, "metadata": "d:1", "mid": "m_1", "text": "x"},
    }
    parsed = only(envelope(raw))
    assert (parsed.kind, person(parsed)) == ("echo", PSID)
    assert event_contents.read_echo(parsed.raw) == event_contents.EchoContent("m_1", "d:1", "9")


def test_a_one_time_opt_in_is_known_by_its_token_alone():
    first = only(envelope(event(optin=OTN)))
    later = only(envelope({**event(optin={**OTN, "payload": "other"}), "timestamp": AT + 1}))
    assert first.dedupe_key == later.dedupe_key == hashlib.sha256(b"T-1").hexdigest()
    (keyed,) = parse_webhook(envelope(event(optin=OTN)), lambda token: f"keyed {token}")
    assert keyed.dedupe_key == "keyed T-1"
    assert event_contents.read_opt_in(first.raw) == event_contents.OptInContent("T-1", "otn.x")


def test_no_event_shows_its_token():
    parsed = only(envelope(event(optin={**OTN, "one_time_notif_token": "one-time-77"})))
    assert "one-time-77" not in f"{parsed} {parsed!r} {event_contents.read_opt_in(parsed.raw)!r}"


def test_receipts_of_two_people_in_the_same_millisecond_are_two():
    receipts = [{**event(read={"watermark": AT}), "sender": {"id": psid}} for psid in ("1", "2")]
    assert len({parsed.dedupe_key for parsed in parse(envelope(*receipts))}) == 2
    receipts = [event(delivery={"mids": [mid], "watermark": AT}) for mid in ("m_1", "m_2")]
    assert len({parsed.dedupe_key for parsed in parse(envelope(*receipts))}) == 2


def test_a_postback_without_mid_is_known_by_who_when_and_what():
    first = event(postback={"payload": "A"})
    others = [{**first, "timestamp": AT + 1}, event(postback={"payload": "B"}), first]
    keys = [parsed.dedupe_key for parsed in parse(envelope(first, *others))]
    assert keys[0] == keys[3]
    assert len(set(keys)) == 3


def test_numbers_serve_as_ids_and_a_missing_sender_is_nobody():
    numbers = {"sender": {"id": 25}, "recipient": {"id": 100}, "timestamp": AT, "optin": {"ref": "r"}}
    payload = {"object": "page", "entry": [{"id": 100, "time": AT, "messaging": [numbers]}]}
    assert (only(payload).page_id, person(only(payload))) == ("100", "25")
    checkbox = {"recipient": {"id": PAGE}, "timestamp": AT, "optin": {"ref": "r", "user_ref": "u"}}
    assert person(only(envelope(checkbox))) is None


def test_standby_events_stand_apart_from_ours():
    raw = event(message={"mid": "m_1", "text": "x"})
    ours, overheard = only(envelope(raw)), only(envelope(raw, key="standby"))
    assert (overheard.kind, person(overheard)) == ("standby_message", PSID)
    assert ours.dedupe_key != overheard.dedupe_key


def test_a_comment_is_a_comment_and_any_other_change_a_change():
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": "c_1",
        "post_id": "p_1",
        "from": {"id": "77", "name": "Lan"},
        "message": "giá?",
        "created_time": AT // 1000,
    }
    parsed = only(envelope({"field": "feed", "value": value}, key="changes"))
    assert (parsed.kind, person(parsed), parsed.occurred_ms) == ("comment", "77", AT // 1000 * 1000)
    assert only(envelope({"field": "feed", "value": {"item": "like"}}, key="changes")).kind == "change"
    assert only(envelope({"field": "leadgen", "value": 3}, key="changes")).kind == "change"


def test_policy_notices_concern_no_customer():
    raw = {
        "recipient": {"id": PAGE},
        "timestamp": AT,
        "policy-enforcement": {"action": "block", "reason": "spam"},
    }
    parsed = only(envelope(raw))
    assert (parsed.kind, person(parsed)) == ("policy", None)
    assert event_contents.read_policy_notice(parsed.raw) == event_contents.PolicyNotice("block", "spam")


def test_a_batch_keeps_its_order_across_entries():
    entries = [
        {
            "id": str(page),
            "time": AT,
            "messaging": [event(message={"mid": f"m_{page}_{n}"}) for n in range(10)],
        }
        for page in range(100)
    ]
    parsed = parse({"object": "page", "entry": entries})
    assert [p.raw["message"]["mid"] for p in parsed] == [
        f"m_{page}_{n}" for page in range(100) for n in range(10)
    ]


def test_the_entry_tells_when_the_event_does_not():
    raw = {"sender": {"id": PSID}, "recipient": {"id": PAGE}, "delivery": {"watermark": AT}}
    assert only(envelope(raw)).occurred_ms == AT + 5


@pytest.mark.parametrize("time", [None, "soon", 0, -1, True, 10**18, 1.5, [], "9" * 40])
def test_an_absurd_time_is_no_time(time):
    raw = {**event(message={"mid": "m"}), "timestamp": time}
    payload = {"object": "page", "entry": [{"id": PAGE, "messaging": [raw]}]}
    assert only(payload).occurred_ms is None


@pytest.mark.parametrize(
    "payload", [None, 3, "x", [], {}, {"object": "page"}, {"object": "page", "entry": {}}, {"entry": []}]
)
def test_what_is_no_envelope_is_malformed(payload):
    with pytest.raises(Malformed):
        parse(payload)


def test_events_of_other_objects_are_kept_unread():
    entry = {"id": "9", "time": AT, "messaging": [event(message={"mid": "m_1"})]}
    parsed = only({"object": "instagram", "entry": [entry]})
    assert (parsed.kind, parsed.raw) == ("unknown", entry)


_WORDS = """
id time messaging standby changes sender recipient timestamp message mid is_echo is_deleted optin type
one_time_notif_token payload postback delivery mids watermark read reaction referral message_edit num_edit
pass_thread_control app_roles policy-enforcement field value item comment_id verb
"""
_KEYS = st.sampled_from(_WORDS.split())
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@given(entries=st.lists(_JSON, max_size=4))
def test_nothing_throws_us_and_nothing_is_lost(entries):
    parsed = parse({"object": "page", "entry": entries})
    assert len(parsed) >= sum(1 for entry in entries if not isinstance(entry, dict))
    for one in parsed:
        assert len(one.dedupe_key) == 64
        assert len(one.page_id) <= 64
        assert one.occurred_ms is None or one.occurred_ms > 0
        json.dumps(one.raw)
        for read in (
            event_contents.read_message,
            event_contents.read_postback,
            event_contents.read_referral,
            event_contents.read_opt_in,
            event_contents.read_echo,
        ):
            read(one.raw)
        for read in (
            event_contents.read_delivery_receipt,
            event_contents.read_watermark,
            event_contents.read_policy_notice,
        ):
            read(one.raw)


def test_nesting_beyond_reason_is_survived():
    deep: object = "x"
    for _ in range(5000):
        deep = [deep]
    assert only(envelope({"new_thing": deep})).kind == "unknown"
    assert only(envelope(event(delivery={"mids": deep, "watermark": AT}))).kind == "delivery"
