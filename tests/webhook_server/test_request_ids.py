"""An answer names the id that the log lines of its request carry."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from core.inbox import processing
from core.inbox.event_queries import get_event
from tests.inbox.platform import tap
from tests.processes import until
from webhook_server.application import create_app

GIVEN = "4f0c-proxy-made.this"


def asked(client: TestClient, path: str, **headers: str) -> str:
    return client.get(path, headers=headers).headers["X-Request-ID"]


def lines_of(entries: list[dict[str, object]], event: str) -> list[dict[str, object]]:
    return [entry for entry in entries if entry["event"] == event]


@pytest.fixture
def with_ids():
    """Captures log lines as they are written, with what is bound to the request."""
    with capture_logs(processors=[merge_contextvars]) as entries:
        yield entries


def test_each_request_has_an_id_of_its_own(client, post, fanpage, now):
    ids = {
        asked(client, "/healthz"),
        asked(client, "/nowhere"),
        post(tap("25", now, "token-1")).headers["X-Request-ID"],
        post(raw=b"{}", headers={}).headers["X-Request-ID"],
    }

    assert len(ids) == 4
    assert all(len(each) == 12 for each in ids)


def test_the_line_of_a_refusal_carries_the_id_of_its_answer(client, post, with_ids):
    refused = post(raw=b"{}", headers={})
    unverified = client.get("/webhook", params={"hub.mode": "subscribe"})

    (of_post,) = lines_of(with_ids, "webhook_refused")
    (of_get,) = lines_of(with_ids, "webhook_verification_refused")
    assert of_post["request_id"] == refused.headers["X-Request-ID"]
    assert of_get["request_id"] == unverified.headers["X-Request-ID"]


def test_what_the_writer_could_not_store_is_found_by_its_id(post, fanpage, now, with_ids, monkeypatch):
    monkeypatch.setattr(processing, "insert_events", lambda *_: 1 / 0)

    refused = post(tap("25", now, "token-1"))

    (line,) = lines_of(with_ids, "events_not_stored")
    assert refused.status_code == 503
    assert line["request_ids"] == [refused.headers["X-Request-ID"]]


def test_what_failed_later_is_found_by_the_event_and_by_its_request(
    client, post, fanpage, now, with_ids, monkeypatch
):
    monkeypatch.setattr(processing, "apply_events", lambda *_: 1 / 0)

    stored = post(tap("25", now, "token-1"))
    until(lambda: lines_of(with_ids, "event_failed"))

    (line,) = lines_of(with_ids, "event_failed")
    assert line["request_id"] == stored.headers["X-Request-ID"]
    assert get_event(line["event_id"]).request_id == line["request_id"]


def test_the_id_of_a_trusted_proxy_is_kept(client):
    assert asked(client, "/healthz", **{"X-Request-ID": GIVEN}) == GIVEN


@pytest.mark.parametrize("given", ["", "short", "x" * 129, "two words!", 'quote"quote"', "số-hiệu-yêu-cầu"])
def test_an_odd_id_is_replaced(client, given):
    answer = client.get("/healthz", headers=[(b"X-Request-ID", given.encode())])

    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 12


def test_two_ids_are_none(client):
    answer = client.get("/healthz", headers=[("X-Request-ID", GIVEN), ("X-Request-ID", GIVEN)])

    assert answer.headers["X-Request-ID"] != GIVEN


def test_the_id_of_a_stranger_is_replaced(restart):
    restart(trusted_proxies="10.0.0.1")
    with TestClient(create_app(), client=("203.0.113.9", 50000)) as stranger:
        assert asked(stranger, "/healthz", **{"X-Request-ID": GIVEN}) != GIVEN
