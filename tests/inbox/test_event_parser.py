"""Bodies as events fit to be kept: whatever one event brings, the others of its batch survive it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.encryption import CannotDecrypt
from core.inbox.event_parser import DEPTH_LIMIT, parse_body, prune_deep_nesting
from core.inbox.event_tokens import decrypt_event, encrypt_event
from core.messenger import event_contents
from core.messenger.webhook_body import Malformed
from core.settings import settings as our_settings
from tests.inbox.platform import PAGE, body, envelope, event, read, said, tap

pytestmark = pytest.mark.usefixtures("fresh_database")  # for its key


def test_a_token_is_sealed_in_what_is_kept_and_comes_back_whole(now):
    [kept] = read(tap("25", now, "s3cret-token", "otn.abc"), received_at=now)

    assert "s3cret-token" not in kept.event_json
    assert "s3cret-token" not in kept.dedupe_key
    opened = decrypt_event(kept.event_json)
    assert opened["optin"]["one_time_notif_token"] == "s3cret-token"
    assert opened["optin"]["payload"] == "otn.abc"


def test_a_token_sealed_with_another_key_does_not_open(now, monkeypatch):
    [kept] = read(tap("25", now, "s3cret-token"), received_at=now)
    monkeypatch.setenv("OTN_SECRET_KEY", "quite-another-key-that-is-long-enough-0123456789")
    our_settings.cache_clear()

    with pytest.raises(CannotDecrypt) as refused:
        decrypt_event(kept.event_json)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("token", [12345, "broken \ud83d half", "a\0b", "t" * 5000])
def test_tokens_of_any_shape_are_sealed(now, token):
    [kept] = read(tap("25", now, token), received_at=now)

    assert kept.kind == "opt_in"
    assert decrypt_event(kept.event_json)["optin"]["one_time_notif_token"] == str(token)
    assert str(token).encode("utf-8", "surrogatepass") not in kept.event_json.encode()


def test_a_token_is_known_by_what_is_inside_its_ends(now):
    [kept] = read(tap("25", now, "'s3cret\u200b"), received_at=now)
    [again] = read(tap("25", now, "s3cret"), received_at=now)
    [empty] = read(tap("25", now, "\u200b\0"), received_at=now)

    assert kept.dedupe_key == again.dedupe_key
    tapped = event_contents.read_opt_in(decrypt_event(kept.event_json))
    assert tapped is not None
    assert tapped.token == "s3cret"
    assert empty.kind == "opt_in_other"


def test_tokens_of_other_kinds_of_opt_in_are_sealed_too(now):
    optin = {"type": "notification_messages", "notification_messages_token": "s3cret"}
    [kept] = read(event("25", now, optin=optin), received_at=now)

    assert kept.kind == "opt_in_other"
    assert "s3cret" not in kept.event_json


@pytest.mark.parametrize(
    "text",
    [
        '{"page_token": "s3cret"}',
        ' \n[{"Access_TOKEN": "s3cret"}]',
        '{"deep": "{\\"token\\": \\"s3cret\\"}"}',
        '{"token": "s3cret", "cut o',
    ],
)
def test_a_token_inside_json_that_is_a_text_is_sealed(now, text):
    [kept, loose] = read({"unheard_of": {"data": [text]}}, text, received_at=now)

    assert "s3cret" not in kept.event_json + loose.event_json
    assert decrypt_event(kept.event_json) == {"unheard_of": {"data": [text]}}


ODD_KEYS = st.sampled_from(["token", "my_Token", "sealed", "text", ""])
ODD_TEXTS = st.sampled_from(["", "siv.x", '{"token": "x"}', "[token", "{sealed}"]) | st.text()
ODD = st.recursive(
    st.none() | st.booleans() | ODD_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.dictionaries(ODD_KEYS, ODD, max_size=4))
def test_what_is_sealed_opens_to_what_it_was(fresh_database, raw):
    assert decrypt_event(encrypt_event(raw)) == raw


def test_what_is_kept_is_ascii(now):
    [kept] = read(said("25", now, "giá cả \ud83d\0 🎉", "m_1"), received_at=now)

    assert kept.event_json.isascii()
    assert "\0" not in kept.event_json
    assert decrypt_event(kept.event_json)["message"]["text"] == "giá cả \ud83d\0 🎉"


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", [100, 900, 990, 5_000, 200_000])
def test_a_nesting_bomb_costs_the_batch_nothing_but_itself(now, depth):
    bomb = json.dumps(envelope(said("25", now, "hi", "m_1"), "BOMB", said("26", now, "hi", "m_2")))
    kept = parse_body(bomb.replace('"BOMB"', nested(depth)).encode(), now)

    assert [one.kind for one in kept] == ["message", "unknown", "message"]


def test_a_nesting_bomb_inside_an_event_leaves_its_token_in_place(now):
    raw = json.dumps(envelope({**tap("25", now, "s3cret"), "more": "BOMB"}))
    [kept] = parse_body(raw.replace('"BOMB"', nested(3_000)).encode(), now)

    assert kept.kind == "opt_in"
    assert decrypt_event(kept.event_json)["optin"]["one_time_notif_token"] == "s3cret"


@pytest.mark.parametrize("raw", [b"[" * 300_000, b'{"a":' * 300_000, b'"' + b'\\"' * 300_000])
def test_what_never_closes_is_malformed(now, raw):
    with pytest.raises(Malformed):
        parse_body(raw, now)


def test_a_giant_number_costs_the_batch_nothing(now):
    raw = json.dumps(envelope(tap("25", now, "token-1"), {"timestamp": "GIANT"}, tap("26", now, "token-2")))
    kept = parse_body(raw.replace('"GIANT"', "9" * 10_000).encode(), now)

    assert [one.kind for one in kept] == ["opt_in", "unknown", "opt_in"]


@pytest.mark.parametrize("stamp", [1, -1, 0, 10**40, "soon", None, 1.5, [], "9" * 30])
def test_an_absurd_timestamp_becomes_the_time_of_receipt(now, stamp):
    strange = {**tap("25", now, "token-1"), "timestamp": stamp}
    raw = {"object": "page", "entry": [{"id": PAGE, "messaging": [strange]}]}
    [kept] = parse_body(json.dumps(raw).encode(), now)

    assert kept.occurred_at == now


def test_seconds_are_understood(now):
    strange = {**tap("25", now, "token-1"), "timestamp": int(now.timestamp()) - 60}
    [kept] = read(strange, received_at=now)

    assert (now - kept.occurred_at).total_seconds() == 60


@pytest.mark.parametrize(
    "raw", [b"", b"nope", b"[]", b"{}", b"\xff\xfe", b'{"object":"page"}', b"null", b"1"]
)
def test_what_is_no_envelope_is_malformed(now, raw):
    with pytest.raises(Malformed):
        parse_body(raw, now)


def test_broken_utf8_in_one_event_spares_the_others(now):
    raw = body(said("25", now, "BROKEN", "m_1"), tap("26", now, "token-1")).replace(b"BROKEN", b"\xff\xfe")

    assert [one.kind for one in parse_body(raw, now)] == ["message", "opt_in"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
SHAPE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("sender", "recipient", "timestamp", "optin", "message", "postback", "delivery", "read"), JSON
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strange=st.lists(JSON | SHAPE, max_size=5), where=st.sampled_from(["messaging", "changes", "standby"]))
def test_no_event_however_strange_harms_its_neighbour(strange, where, now):
    payload = {
        "object": "page",
        "entry": [{"id": PAGE, where: strange}, {"id": PAGE, "messaging": [tap("25", now, "token-1")]}],
    }

    kept = parse_body(json.dumps(payload).encode(), now)

    assert len(kept) == len(strange) + 1
    assert kept[-1].kind == "opt_in"
    assert all(one.event_json.isascii() and len(one.dedupe_key) == 64 for one in kept)
    assert all(len(one.page_id) <= 64 and len(one.kind) <= 32 for one in kept)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_events_or_malformed(raw, now):
    with suppress(Malformed):
        parse_body(raw, now)


@given(JSON)
def test_shallow_json_is_left_as_it_is(value):
    text = json.dumps(value)

    assert prune_deep_nesting(text) == text


@given(st.integers(min_value=DEPTH_LIMIT + 1, max_value=500), st.text())
def test_depths_are_cut_and_the_rest_is_kept(depth, text):
    assume("@@" not in text)
    deep = json.dumps({"before": text, "deep": "@@", "after": text}).replace('"@@"', nested(depth))

    read_again = json.loads(prune_deep_nesting(deep))

    assert (read_again["before"], read_again["after"]) == (text, text)
