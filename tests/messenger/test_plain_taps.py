"""The short way through the commonest webhook finds what the long way finds, or leaves it alone."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.messenger.events import parse
from core.messenger.plain_taps import plain_taps

PAGE = "100000000000001"
ODD = st.sampled_from(
    [None, "", "7", 7, 1.5, True, [], {}, "\0", "é", PAGE, "x" * 65, "9" * 70, {"id": "7"}, -1]
)


def a_tap(psid: str = "25", token: str = "token-1") -> dict[str, Any]:
    optin = {"type": "one_time_notif_req", "payload": "otn.abc", "one_time_notif_token": token}
    return {
        "sender": {"id": psid},
        "recipient": {"id": PAGE},
        "timestamp": 1_795_000_000_000,
        "optin": optin,
    }


def a_body(*events: object) -> dict[str, Any]:
    return {"object": "page", "entry": [{"id": PAGE, "time": 1_795_000_000_001, "messaging": list(events)}]}


def seen(body: object) -> list[tuple[object, ...]]:
    return [
        (event.page_id, event.kind, event.psid, event.occurred_ms, event.dedupe_key, event.raw)
        for event in parse(body, token_hash=lambda token: f"hash of {token}")
    ]


def seen_shortly(body: object) -> list[tuple[object, ...]] | None:
    taps = plain_taps(body)
    if taps is None:
        return None
    return [
        (tap.page_id, "opt_in", tap.psid, tap.occurred_ms, f"hash of {tap.token}", tap.raw) for tap in taps
    ]


def test_taps_as_messenger_writes_them_go_the_short_way() -> None:
    body = a_body(a_tap("25", "token-1"), a_tap("26", "token-2"))

    assert seen_shortly(body) == seen(body)
    assert [tap.payload for tap in plain_taps(body) or []] == ["otn.abc", "otn.abc"]


def test_anything_else_in_the_body_sends_all_of_it_the_long_way() -> None:
    assert plain_taps(a_body(a_tap(), {**a_tap(), "message": {"mid": "m_1"}})) is None
    assert plain_taps(a_body(a_tap(), {"sender": {"id": "25"}, "message": {"mid": "m_1"}})) is None
    assert plain_taps({**a_body(a_tap()), "object": "instagram"}) is None


PLACES = [
    ("object",),
    ("entry",),
    ("entry", 0),
    ("entry", 0, "id"),
    ("entry", 0, "time"),
    ("entry", 0, "messaging"),
    ("entry", 0, "messaging", 0),
    *[("entry", 0, "messaging", 0, key) for key in ("sender", "recipient", "timestamp", "optin", "read")],
    ("entry", 0, "messaging", 0, "sender", "id"),
    ("entry", 0, "messaging", 0, "recipient", "id"),
    *[
        ("entry", 0, "messaging", 0, "optin", key)
        for key in ("type", "payload", "one_time_notif_token", "user_token")
    ],
]


@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=2))
def test_whatever_is_odd_is_seen_alike_or_left_to_the_long_way(changes: list[Any]) -> None:
    body = a_body(a_tap("25", "token-1"), a_tap("26", "token-2"))
    for place, value in changes:
        _put(body, place, value)
    body = json.loads(json.dumps(body))

    shortly = seen_shortly(body)

    assert shortly is None or shortly == seen(body)


def _put(inside: Any, place: tuple[Any, ...], value: object) -> None:
    for step in place[:-1]:
        try:
            inside = inside[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(inside, dict | list):
        try:
            inside[place[-1]] = copy.deepcopy(value)  # else it may come to hold itself
        except (IndexError, TypeError):
            return
