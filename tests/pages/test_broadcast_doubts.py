"""Outcomes in doubt: their evidence, settled one by one or all at once, and the way to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.broadcasts import queries
from core.broadcasts.delivery_queries import DeliveryView, list_deliveries
from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Customer, Delivery, DeliveryAttempt
from tests.pages.broadcasts import put, settle, started
from tests.pages.shown import all_words, keys

ANSWER = '{"code": 1, "message": "Please <b>retry</b>"}'


@pytest.fixture
def doubtful(topic_id) -> int:
    """One sent, two in doubt: a timeout that said nothing, and an odd answer."""
    broadcast_id = started(topic_id)
    settle(broadcast_id, ("sent", None), ("unknown", "timeout"), ("unknown", "server_error"))
    with transaction() as db:
        for row in list_deliveries(broadcast_id, states=["unknown"]):
            delivery = db.get(Delivery, row.id)
            delivery.tries, delivery.claimed_at = 8, utc_now() - timedelta(minutes=3)
            delivery.detail = ANSWER if row.reason == "server_error" else None
    put(broadcast_id, state="finished", finished_at=utc_now())
    return broadcast_id


def tell(delivery_id: int, *tries: DeliveryAttempt) -> None:
    with transaction() as db:
        for number, each in enumerate(tries, start=1):
            each.delivery_id, each.number = delivery_id, number
            db.add(each)


def in_doubt(broadcast_id: int) -> list[DeliveryView]:
    return list_deliveries(broadcast_id, states=["unknown"])


def test_the_evidence_of_each_is_shown(panel, doubtful) -> None:
    at = panel("broadcast", role="viewer", id=doubtful, state="unknown")
    said = all_words(at)
    assert all(word in said for word in ("Timed out", "Messenger error", "8 attempts, between"))
    assert [code.value for code in at.code] == [ANSWER]
    assert "Messenger sent no answer to show" in said
    assert said.count("Báo tôi khi có khuyến mãi") == 2  # the promise of both
    assert "Only a sender or an admin" in said
    assert not [key for key in keys(at.button) if key.endswith(("_again", "_count"))]


def test_every_try_is_shown_with_its_time_and_code(panel, doubtful) -> None:
    timeout, _other = in_doubt(doubtful)
    at = utc_now() - timedelta(minutes=5)
    tell(
        timeout.id,
        DeliveryAttempt(number=1, reason="timeout", in_doubt=True, started_at=at, detail="ReadTimeout"),
        DeliveryAttempt(
            number=2,
            reason="blocked",
            status=400,
            code=551,
            subcode=1545041,
            started_at=at + timedelta(seconds=7),
        ),
    )
    shown = panel("broadcast", role="viewer", id=doubtful, state="unknown")
    assert "2 attempts and their answers" in [e.label for e in shown.expander]
    said = all_words(shown)
    assert "HTTP 400 · 551/1545041" in said
    assert "It may have arrived" in said
    assert "ReadTimeout" in [code.value for code in shown.code]
    shown = panel("customer", role="viewer", id=timeout.customer_id)
    assert "“Flash sale”: 2 attempts and their answers" in [e.label for e in shown.expander]


def test_what_messenger_reported_since_is_evidence_and_no_proof(panel, doubtful) -> None:
    timeout, other = in_doubt(doubtful)
    read_at = utc_now() - timedelta(minutes=1)
    with transaction() as db:
        db.get_one(Customer, timeout.customer_id).read_watermark = read_at
        db.get_one(Customer, other.customer_id).read_watermark = read_at - timedelta(days=1)
    said = all_words(panel("broadcast", role="viewer", id=doubtful, state="unknown"))
    assert said.count("After that the customer read the conversation") == 1
    assert said.count("on its own it proves nothing") == 1
    assert said.count("Messenger has reported nothing about this customer") == 1
    assert {d.state for d in in_doubt(doubtful)} == {"unknown"}


@pytest.mark.parametrize("reason", ["blocked", "token_refused", "too_late"])
def test_an_end_after_a_doubt_never_claims_that_nothing_was_sent(panel, doubtful, reason) -> None:
    with transaction() as db:
        for row in in_doubt(doubtful):
            db.get_one(Delivery, row.id).reason = reason
    said = all_words(panel("broadcast", role="viewer", id=doubtful, state="unknown"))
    assert said.count("An earlier attempt may have reached the customer") == 3  # of each, and of the reason
    assert "Nothing was sent" not in said
    assert "In doubt: " in said


def test_the_list_is_narrowed_by_reason_and_name(panel, doubtful) -> None:
    timeout, other = in_doubt(doubtful)
    at = panel("broadcast", role="sender", id=doubtful, state="unknown", reason="timeout")
    assert f"doubt_{timeout.id}_again" in keys(at.button)
    assert f"doubt_{other.id}_again" not in keys(at.button)
    assert "unknown_again" not in keys(at.button)  # "all" would mean more than the list shows
    at = panel("broadcast", role="admin", id=doubtful, state="unknown", q="mai")
    assert f"doubt_{timeout.id}_again" in keys(at.button)
    assert f"doubt_{other.id}_again" not in keys(at.button)


def test_one_is_counted_as_sent_and_the_other_stays(panel, doubtful) -> None:
    one, other = in_doubt(doubtful)
    at = panel("broadcast", role="sender", id=doubtful, state="unknown")
    at.button(key=f"doubt_{one.id}_count").click().run()
    assert "1 opt-in counts as used, for good" in all_words(at)
    at.button(key=f"doubt_{one.id}_count_dialog_confirm").click().run()
    assert not at.exception
    assert [row.id for row in in_doubt(doubtful)] == [other.id]
    counted = list_deliveries(doubtful, states=["sent"])
    assert [row.evidence for row in counted if row.id == one.id] == ["staff"]


def test_one_is_tried_again_and_the_other_stays(panel, doubtful) -> None:
    one, other = in_doubt(doubtful)
    put(doubtful, best_before=utc_now() - timedelta(hours=1))
    at = panel("broadcast", role="sender", id=doubtful, state="unknown")
    at.button(key=f"doubt_{other.id}_again").click().run()
    assert "We try again for 1 customer" in all_words(at)
    assert "The new send-by time is" in all_words(at)
    at.button(key=f"doubt_{other.id}_again_dialog_confirm").click().run()
    assert not at.exception
    view = queries.get_broadcast(doubtful)
    assert (view.state, view.counts["queued"], view.best_before > utc_now()) == ("sending", 1, True)
    assert [row.id for row in in_doubt(doubtful)] == [one.id]


@pytest.mark.parametrize(("verb", "state"), [("again", "queued"), ("count", "sent")])
def test_all_are_settled_from_the_list(panel, doubtful, verb, state) -> None:
    before = queries.get_broadcast(doubtful).counts[state]
    at = panel("broadcast", role="sender", id=doubtful, state="unknown")
    at.button(key=f"unknown_{verb}").click().run()
    at.button(key=f"broadcast_{verb}_dialog_confirm").click().run()
    assert not at.exception
    assert not in_doubt(doubtful)
    assert queries.get_broadcast(doubtful).counts[state] == before + 2


def test_what_was_settled_meanwhile_is_left_alone(panel, doubtful) -> None:
    one, _other = in_doubt(doubtful)
    at = panel("broadcast", role="sender", id=doubtful, state="unknown")
    at.button(key=f"doubt_{one.id}_again").click().run()
    with transaction() as db:
        db.get(Delivery, one.id).state = "sent"  # its echo came
    at.button(key=f"doubt_{one.id}_again_dialog_confirm").click().run()
    assert not at.exception
    assert [toast.value for toast in at.toast] == ["It has already been decided, so nothing was changed."]
    assert queries.get_broadcast(doubtful).counts["queued"] == 0


def test_the_overview_leads_to_the_list_until_all_is_settled(panel, doubtful) -> None:
    said = all_words(panel("overview", role="viewer"))
    assert "2 results of “Flash sale” are still in doubt" in said
    assert f"broadcast?id={doubtful}&state=unknown#people" in said.replace("&amp;", "&")
    settle(doubtful, *[("sent", None)] * 3)
    assert "in doubt" not in all_words(panel("overview", role="sender"))
