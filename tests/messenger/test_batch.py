"""The Graph batch: as many answers as messages, in their order, whatever comes back."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messenger import wire
from core.messenger.batch import SharedMessage, TokenSend, batch_field
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, read_batch
from core.messenger.signature import appsecret_proof
from tests.messenger.conftest import APP_SECRET, PAGE_ID, TOKEN
from tests.messenger.graph import Reply
from tests.messenger.test_client import TAKEN, refusal
from tests.processes import free_port


def sends(count: int) -> list[TokenSend]:
    return [
        TokenSend(f"token-{n}", SharedMessage(wire.text(f"Chào & mừng {n}=1")), f"otn.delivery.{n}")
        for n in range(count)
    ]


def item(status, body):
    return {"code": status, "headers": [], "body": json.dumps(body)}


def taken(n):
    return item(200, {"recipient_id": "25", "message_id": f"m_{n}"})


def steps(answers):
    return [a.step if isinstance(a, Failure) else a.mid for a in answers]


def test_a_batch_goes_out_as_documented(graph, connect):
    graph.will(Reply(200, [taken(0), taken(1)]))
    connect(app_secret=APP_SECRET).send_batch(sends(2))
    (seen,) = graph.seen
    assert (seen.path, seen.query) == ("/v26.0/", {})
    form = seen.form()
    assert form["access_token"] == TOKEN
    assert form["include_headers"] == "false"
    assert form["appsecret_proof"] == appsecret_proof(APP_SECRET, TOKEN)
    sent = json.loads(form["batch"])
    assert [(i["method"], i["relative_url"]) for i in sent] == [("POST", "me/messages")] * 2
    inner = {key: values[0] for key, values in parse_qs(sent[1]["body"]).items()}
    assert json.loads(inner["recipient"]) == {"one_time_notif_token": "token-1"}
    assert json.loads(inner["message"]) == {"text": "Chào & mừng 1=1", "metadata": "otn.delivery.1"}
    assert inner["messaging_type"] == "UPDATE"


def test_items_keep_their_order_and_their_own_fates(graph, messenger):
    graph.will(
        Reply(
            200,
            [
                taken(0),
                item(400, refusal(551, 1545041)),
                None,
                item(400, refusal(100)),
                item(500, refusal(1)),
                {"code": 200, "body": {"message_id": "m_5"}},
                item(400, refusal(613)),
                item(400, refusal(190)),
                item(400, refusal(31337)),
                {"code": 200, "body": "<html>"},
                {"code": 200, "body": None},
                {"body": "{}"},
                "odd",
                item(400, refusal(1, 1357046)),
            ],
        )
    )
    assert steps(messenger.send_batch(sends(14))) == [
        "m_0",
        NextStep.END_DELIVERY,
        NextStep.IN_DOUBT,
        NextStep.TOKEN_REFUSED,
        NextStep.IN_DOUBT,
        "m_5",
        NextStep.SLOW_DOWN,
        NextStep.STOP_FANPAGE,
        NextStep.PERSON_OR_ACCOUNT,
        *[NextStep.IN_DOUBT] * 5,
    ]


def test_a_short_answer_leaves_all_in_doubt_for_nobody_knows_which_is_missing(graph, messenger):
    graph.will(Reply(200, [taken(0)]))
    assert steps(messenger.send_batch(sends(3))) == [NextStep.IN_DOUBT] * 3


def test_an_answer_longer_than_the_batch_is_not_matched_up_by_guess(graph, messenger):
    graph.will(Reply(200, [taken(n) for n in range(4)]))
    assert steps(messenger.send_batch(sends(3))) == [NextStep.IN_DOUBT] * 3


@pytest.mark.parametrize(
    ("reply", "step", "reason"),
    [
        (Reply(400, refusal(190, 463)), NextStep.STOP_FANPAGE, "token_invalid"),
        (Reply(403, refusal(10, 1893063)), NextStep.STOP_FANPAGE, "restricted"),
        (Reply(400, refusal(80006)), NextStep.SLOW_DOWN, "rate_limit"),
        (Reply(429, "slow down"), NextStep.SLOW_DOWN, "rate_limit"),
        (Reply(400, refusal(2)), NextStep.PERSON_OR_ACCOUNT, "temporary"),
        (Reply(400, refusal(1)), NextStep.RETRY_LATER, "temporary"),
        (Reply(400, refusal(283)), NextStep.STOP_FANPAGE, "permission"),
        (Reply(400, refusal(1, 1357046)), NextStep.IN_DOUBT, "bad_answer"),
        (Reply(500, refusal(100)), NextStep.IN_DOUBT, "server_error"),
        (Reply(502, "<html>"), NextStep.IN_DOUBT, "server_error"),
        (Reply(200, "<html>"), NextStep.IN_DOUBT, "bad_answer"),
        (Reply(200, {"error": {"code": 190}}), NextStep.IN_DOUBT, "bad_answer"),
    ],
)
def test_an_outer_failure_is_every_items(graph, messenger, reply, step, reason):
    graph.will(reply)
    answers = messenger.send_batch(sends(3))
    assert [(a.step, a.reason) for a in answers] == [(step, reason)] * 3


@pytest.mark.parametrize("code", [100, 551, 31337])
def test_a_batch_refused_whole_never_speaks_about_the_tokens_in_it(graph, messenger, code):
    graph.will(Reply(400, refusal(code)))
    answers = messenger.send_batch(sends(2))
    assert [(a.step, a.reason) for a in answers] == [(NextStep.STOP_FANPAGE, "call_refused")] * 2


def test_a_lost_batch_is_in_doubt_and_an_unconnected_one_was_not_sent(graph, connect):
    graph.will(graph.hang)
    assert steps(connect(read_timeout=0.2).send_batch(sends(2))) == [NextStep.IN_DOUBT] * 2
    nowhere = connect(base_url=f"http://127.0.0.1:{free_port()}")
    assert steps(nowhere.send_batch(sends(2))) == [NextStep.NOT_SENT] * 2


def test_one_message_goes_as_a_plain_send_and_none_as_nothing(graph, messenger):
    graph.will(TAKEN)
    assert messenger.send_batch(sends(1)) == [Accepted("m_1")]
    assert graph.seen[0].path == f"/v26.0/{PAGE_ID}/messages"
    assert messenger.send_batch([]) == []
    assert len(graph.seen) == 1


def test_more_than_fifty_are_refused_before_anything_is_sent(graph, messenger):
    with pytest.raises(ValueError, match="at most 50"):
        messenger.send_batch(sends(51))
    assert graph.seen == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["code", "body", "error", "message_id", "error_subcode", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(status=st.sampled_from([200, 400, 403, 429, 500]), parsed=_JSON, count=st.integers(2, 5))
def test_whatever_comes_back_there_is_one_answer_per_message(status, parsed, count):
    answers = read_batch(status, parsed, count, ())
    assert len(answers) == count
    assert all(isinstance(answer, (Accepted, Failure)) for answer in answers)


_TEXTS = st.text(st.characters())  # lone surrogates, too


@given(st.lists(st.tuples(_TEXTS, st.dictionaries(_TEXTS, _TEXTS, max_size=3), _TEXTS), max_size=4))
def test_what_is_encoded_ahead_reads_back_as_the_plain_bodies(parts):
    batch = [TokenSend(token, SharedMessage(message), metadata) for token, message, metadata in parts]
    items = json.loads(parse_qs(batch_field(batch), keep_blank_values=True, strict_parsing=True)["batch"][0])
    read = [{key: values[0] for key, values in parse_qs(item["body"]).items()} for item in items]
    assert [
        {
            "recipient": json.loads(form["recipient"]),
            "message": json.loads(form["message"]),
            "messaging_type": form["messaging_type"],
        }
        for form in read
    ] == [each.body() for each in batch]
