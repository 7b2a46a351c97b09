"""What each route answers, and what is stored."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select
from starlette.testclient import TestClient

from core.clock import utc_now
from core.db.engine import reading
from core.db.tables import Backup, Event, OptIn
from core.messenger.signature import HEADER
from core.settings import kept_secret
from core.settings import settings as our_settings
from tests.inbox.platform import PAGE, body, envelope, said, signed, tap
from webhook_server import webhook_endpoint
from webhook_server.application import DEMO_SECRET_FILE, create_app

PATIENCE = 10.0


def kept() -> list[Event]:
    with reading() as db:
        return list(db.exec(select(Event).order_by(Event.id)))


def opt_ins() -> list[OptIn]:
    with reading() as db:
        return list(db.exec(select(OptIn)))


def eventually(condition) -> bool:
    """Whether it comes true in time; applying happens after the answer."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def code(response) -> str:
    return response.json()["error"]["code"]


def test_a_signed_event_is_stored_then_applied(fanpage, post, now):
    response = post(tap("25", now, "token-1"))

    assert (response.status_code, response.json()) == (200, {"status": "stored"})
    assert len(kept()) == 1
    assert eventually(lambda: len(opt_ins()) == 1)


@pytest.mark.parametrize(
    "header", [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "sha256=é" * 9, "x" * 5000]
)
def test_a_wrong_signature_is_refused_and_nothing_kept(fanpage, client, now, header):
    headers = {} if header is None else {HEADER: header.encode()}

    response = client.post("/webhook", content=body(tap("25", now, "token-1")), headers=headers)

    assert (response.status_code, code(response)) == (403, "bad_signature")
    assert kept() == []


def test_the_signature_covers_every_byte(fanpage, post, now):
    raw = body(tap("25", now, "token-1"))

    assert post(raw=raw + b" ", headers=signed(raw)).status_code == 403


def test_the_signature_is_over_the_bytes_as_sent(fanpage, post, now):
    """Escaped slashes and unicode are not re-written before they are checked."""
    raw = body(said("25", now, "giá/cả ở đây", "m_1"))
    assert b"\\/" in raw
    assert b"\\u1edf" in raw

    assert post(raw=raw).status_code == 200


def test_no_app_secret_no_real_events(fanpage, monkeypatch, fresh_database, now):
    monkeypatch.setenv("OTN_APP_SECRET", "")
    our_settings.cache_clear()
    raw = body(tap("25", now, "token-1"))
    with TestClient(create_app(), client=("127.0.0.1", 50000)) as client:
        for secret in ("", "app-secret-for-tests"):
            assert client.post("/webhook", content=raw, headers=signed(raw, secret)).status_code == 403
    assert kept() == []


def test_the_demos_signature_is_good_for_demo_fanpages_only(arrange, fanpage, post, now):
    arrange.fanpage("Demo", page_id="777", is_demo=True)
    secret = kept_secret(DEMO_SECRET_FILE)
    own, foreign = (
        body(tap("25", now, "token-1", page_id="777"), page_id="777"),
        body(tap("25", now, "token-2")),
    )
    both = envelope(tap("25", now, "token-3", page_id="777"), page_id="777")
    both["entry"] += envelope(tap("25", now, "token-4"))["entry"]
    mixed = json.dumps(both).encode()

    assert post(raw=own, headers=signed(own, secret)).status_code == 200
    assert code(post(raw=foreign, headers=signed(foreign, secret))) == "foreign"
    assert code(post(raw=mixed, headers=signed(mixed, secret))) == "foreign"
    assert [event.page_id for event in kept()] == ["777"]


def test_events_of_an_unknown_fanpage_are_stored(post, now):
    assert post(tap("25", now, "token-1", page_id="999"), page_id="999").status_code == 200

    assert eventually(lambda: [event.state for event in kept()] == ["ignored"])


def test_a_repeated_body_is_answered_well_and_counts_once(fanpage, post, client, now):
    for _ in range(3):
        assert post(tap("25", now, "token-1")).status_code == 200

    assert len(kept()) == 1
    metrics = client.get("/metrics").text
    assert 'otn_webhook_events_total{result="stored"} 1.0' in metrics
    assert 'otn_webhook_events_total{result="duplicate"} 2.0' in metrics
    assert 'otn_webhook_requests_total{outcome="stored"} 3.0' in metrics


def test_the_metrics_tell_how_the_installation_stands(arrange, fanpage, client, now):
    arrange.fanpage("Stopped", stopped_code="token_invalid")
    arrange.save(Backup(made_at=utc_now() - timedelta(hours=2), place="x"))
    failed = {"page_id": "1", "kind": "message", "body": "{}", "state": "failed"}
    arrange.save(Event(dedupe_key="1", occurred_at=now, received_at=now, **failed))
    metrics = client.get("/metrics").text
    assert 'otn_fanpages{condition="stopped"} 1.0' in metrics
    assert 'otn_deliveries{state="unknown"} 0.0' in metrics
    assert "otn_events_failed 1.0" in metrics
    age = float(re.search(r"^otn_backup_age_seconds (\S+)", metrics, re.MULTILINE)[1])
    assert 7200 <= age < 7300


def test_a_body_without_events_is_answered_well(post):
    assert post().status_code == 200
    assert post(raw=b'{"object":"page","entry":[]}').status_code == 200


@pytest.mark.parametrize("raw", [b"", b"nope", b"[]", b'{"object":"page"}', b"[" * 100_000, b"\xff"])
def test_a_malformed_body_is_told_so(post, raw):
    response = post(raw=raw)

    assert (response.status_code, code(response)) == (400, "malformed")


def test_a_body_too_large_is_refused_by_its_header(client, post):
    response = post(raw=b" " * (webhook_endpoint.BODY_LIMIT + 1))

    assert (response.status_code, code(response)) == (413, "too_large")


def test_a_body_too_large_is_refused_when_no_header_says_so(client, monkeypatch):
    monkeypatch.setattr(webhook_endpoint, "BODY_LIMIT", 1000)

    response = client.post("/webhook", content=iter([b"x" * 600, b"x" * 600]))

    assert (response.status_code, code(response)) == (413, "too_large")


def test_a_large_body_within_the_limit_is_read(fanpage, post, now):
    texts = [said("25", now, "ở" * 1900, f"m_{n}") for n in range(1000)]

    assert post(*texts).status_code == 200

    assert len(kept()) == 1000


def test_more_bodies_than_fit_are_asked_to_come_back_and_room_is_given_back(fanpage, post, now, monkeypatch):
    monkeypatch.setattr(webhook_endpoint, "BODIES_LIMIT", 100)
    response = post(tap("25", now, "token-1"))
    assert (response.status_code, code(response)) == (503, "unavailable")
    assert response.headers["Retry-After"] == "1"

    monkeypatch.setattr(webhook_endpoint, "BODIES_LIMIT", 1000)
    for number in range(10):  # would not fit if what was answered still counted
        assert post(tap("25", now, f"token-{number}")).status_code == 200


def test_a_nesting_bomb_and_a_giant_number_spare_the_batch(fanpage, post, now):
    raw = json.dumps(envelope(tap("25", now, "token-1"), "BOMB", "GIANT", tap("26", now, "token-2")))
    raw = raw.replace('"BOMB"', "[" * 50_000 + "]" * 50_000).replace('"GIANT"', "9" * 6000)

    assert post(raw=raw.encode()).status_code == 200

    assert eventually(lambda: len(opt_ins()) == 2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
ID = st.just("25") | st.text(max_size=3) | st.integers()
EVENT = st.fixed_dictionaries(
    {"sender": st.fixed_dictionaries({"id": ID}) | JSON},
    optional={
        "recipient": JSON,
        "timestamp": JSON,
        "message": st.dictionaries(st.sampled_from(["mid", "text", "quick_reply", "is_echo"]), JSON),
        "optin": st.fixed_dictionaries(
            {"type": st.just("one_time_notif_req"), "one_time_notif_token": st.text() | JSON},
            optional={"payload": JSON},
        ),
        "postback": st.dictionaries(st.sampled_from(["mid", "payload", "referral", "title"]), JSON),
        "referral": st.dictionaries(st.sampled_from(["ref", "source"]), JSON),
        "delivery": st.dictionaries(st.sampled_from(["mids", "watermark"]), JSON),
        "read": st.dictionaries(st.sampled_from(["watermark", "mid"]), JSON),
        "reaction": st.dictionaries(st.sampled_from(["mid", "action", "emoji"]), JSON),
        "policy-enforcement": st.dictionaries(st.sampled_from(["action", "reason"]), JSON),
    },
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENT | JSON, max_size=6))
def test_whatever_a_signed_body_holds_it_is_stored_and_nothing_fails(fanpage, post, events):
    raw = json.dumps({"object": "page", "entry": [{"id": PAGE, "time": 1, "messaging": events}]}).encode()

    assert post(raw=raw).status_code == 200

    assert eventually(lambda: all(event.state in ("applied", "ignored") for event in kept()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_answered_with_a_server_error(post, raw):
    assert post(raw=raw).status_code in (200, 400)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hub.mode=subscribe&hub.verify_token=verify-token-for-tests&hub.challenge=1158201444", 200),
        ("hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1", 403),
        ("hub.mode=unsubscribe&hub.verify_token=verify-token-for-tests&hub.challenge=1", 403),
        ("hub.mode=subscribe&hub.challenge=1", 403),
        ("hub.mode=subscribe&hub.verify_token=%C3%A9%ED%A0%80&hub.challenge=1", 403),
        ("", 403),
    ],
)
def test_the_handshake_needs_the_verify_token(client, query, status):
    response = client.get(f"/webhook?{query}")

    assert response.status_code == status
    if status == 200:
        assert response.text == "1158201444"
        assert response.headers["content-type"].startswith("text/plain")


def test_without_a_verify_token_nobody_is_verified(fresh_database, monkeypatch):
    monkeypatch.setenv("OTN_VERIFY_TOKEN", "")
    our_settings.cache_clear()
    with TestClient(create_app(), client=("127.0.0.1", 50000)) as client:
        assert client.get("/webhook?hub.mode=subscribe&hub.verify_token=&hub.challenge=1").status_code == 403


def test_it_is_alive_and_ready_with_a_database(client):
    assert client.get("/healthz").json() == {"alive": True}
    assert client.get("/readyz").json() == {"ready": True}


def test_it_is_alive_but_not_ready_without_tables(client, fresh_database):
    fresh_database.run("DROP TABLE event")

    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert (response.status_code, response.json()["problem"]) == (503, "database")
    assert "otn_webhook_backlog_events NaN" in client.get("/metrics").text


def test_a_database_that_is_gone_is_a_503(post, fresh_database, now):
    fresh_database.run("DROP TABLE event")

    response = post(tap("25", now, "token-1"))

    assert (response.status_code, code(response)) == (503, "unavailable")


VERIFYING = {
    "hub.mode": "subscribe",
    "hub.verify_token": "verify-token-for-tests",
    "hub.challenge": "1158201444",
}


@pytest.mark.parametrize("path", ["/webhook", "/webhook/"])
def test_a_slash_at_the_end_is_served_and_never_redirected(fanpage, client, now, path):
    verified = client.get(path, params=VERIFYING, follow_redirects=False)
    raw = body(tap("25", now, f"token {path}"))
    posted = client.post(path, content=raw, headers=signed(raw), follow_redirects=False)

    assert (verified.status_code, verified.text) == (200, "1158201444")
    assert (posted.status_code, len(kept())) == (200, 1)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT"])
@pytest.mark.parametrize(
    "path", ["/", "//webhook", "/webhook//", "/Webhook", "/webhook/x", "/healthz/", "/metrics/"]
)
def test_no_other_path_is_served_or_repeats_what_it_was_asked(client, method, path):
    response = client.request(method, f"http://testserver{path}", params=VERIFYING, follow_redirects=False)

    assert response.status_code == 404
    assert VERIFYING["hub.verify_token"] not in f"{response.headers} {response.text}"


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH"])
def test_no_other_method_is_served(client, method):
    response = client.request(method, "/webhook/", params=VERIFYING, follow_redirects=False)

    assert response.status_code == 405
    assert VERIFYING["hub.verify_token"] not in f"{response.headers} {response.text}"


def test_figures_are_for_this_machine_only_and_not_by_way_of_a_proxy(client):
    assert client.get("/metrics").status_code == 200
    for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"):
        assert client.get("/metrics", headers={name: "127.0.0.1"}).status_code == 404
    with TestClient(create_app(), client=("203.0.113.7", 50000)) as stranger:
        assert stranger.get("/metrics").status_code == 404
