"""The client against a real HTTP server: one send, and what can befall it."""

from __future__ import annotations

import logging
import threading

import pytest

from core.messenger import wire
from core.messenger.batch import SharedMessage, TokenSend
from core.messenger.client import GraphRefused, Messenger, Profile
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.messenger.signature import appsecret_proof
from tests.messenger.conftest import APP_SECRET, PAGE_ID, TOKEN
from tests.messenger.graph import Reply
from tests.processes import free_port

ONE_TIME = "one-time/token+77=="
BODY = wire.send_to_token(ONE_TIME, wire.text("Hàng mới đã về 🎉"))
SEND = TokenSend(ONE_TIME, SharedMessage(wire.text("Hàng mới đã về 🎉")), "m")
TAKEN = Reply(200, {"recipient_id": "25", "message_id": "m_1"})


def refusal(code, subcode=None, **more):
    error = {"message": "no", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return {"error": error | ({"error_subcode": subcode} if subcode else {}) | more}


def test_a_send_goes_out_as_documented_and_comes_back_accepted(graph, messenger):
    graph.will(TAKEN)
    assert messenger.send(BODY) == Accepted("m_1")
    (seen,) = graph.seen
    assert (seen.method, seen.path, seen.query) == ("POST", f"/v26.0/{PAGE_ID}/messages", {})
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.json() == BODY


def test_the_recipient_may_be_missing_from_an_acceptance(graph, messenger):
    graph.will(Reply(200, {"message_id": "m_1"}))
    assert messenger.send(BODY) == Accepted("m_1")


def test_the_app_secret_proves_each_call(graph, connect):
    graph.will(TAKEN)
    connect(app_secret=APP_SECRET).send(BODY)
    assert graph.seen[0].query == {"appsecret_proof": appsecret_proof(APP_SECRET, TOKEN)}


def test_the_connection_is_kept_for_the_next_call(graph, messenger):
    graph.will(TAKEN)
    for _ in range(3):
        messenger.send(BODY)
    messenger.send_batch([SEND, SEND])
    assert len({seen.connection for seen in graph.seen}) == 1


def test_typing_says_when_it_has_left_before_it_is_answered(graph, messenger):
    has_left, told_in_time = threading.Event(), []

    def answer_once_told(handler):
        told_in_time.append(has_left.wait(20))
        handler.answer(Reply(200, {"recipient_id": "25"}))

    graph.will(answer_once_told)
    messenger.show_typing("25", on_left=has_left.set)
    assert told_in_time == [True]
    assert graph.seen[0].json() == {"recipient": {"id": "25"}, "sender_action": "typing_on"}
    assert "Transfer-Encoding" not in graph.seen[0].headers


def test_typing_that_could_not_leave_says_nothing(connect):
    has_left = threading.Event()
    connect(base_url=f"http://127.0.0.1:{free_port()}").show_typing("25", on_left=has_left.set)
    assert not has_left.is_set()


def test_a_refused_send_leaves_the_connection_usable(graph, messenger):
    graph.will(Reply(400, refusal(100)), Reply(502, "<html>bad</html>"), TAKEN)
    answers = [messenger.send(BODY) for _ in range(3)]
    assert isinstance(answers[-1], Accepted)
    assert len({seen.connection for seen in graph.seen}) == 1


def test_a_connection_closed_while_idle_is_replaced_and_costs_no_doubt(graph, messenger):
    graph.will(graph.answer_and_hang_up)
    for _ in range(3):
        graph.hung_up.clear()
        assert messenger.send(BODY) == Accepted("m_1")
        assert graph.hung_up.wait(10)
    assert len({seen.connection for seen in graph.seen}) == 3


def test_threads_share_a_client_without_mixing_their_answers(graph, messenger):
    graph.will(lambda handler: handler.answer(Reply(200, {"message_id": handler_text(graph, handler)})))
    results: dict[str, object] = {}

    def work(number: int) -> None:
        for turn in range(10):
            text = f"m_{number}_{turn}"
            results[text] = messenger.send(wire.send_to_psid("25", wire.text(text)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {text: Accepted(text) for text in results}
    assert len(results) == 80


def handler_text(graph, handler) -> str:
    mine = [seen for seen in graph.seen if seen.connection == handler.client_address]
    return mine[-1].json()["message"]["text"]


def test_a_refused_connection_sent_nothing(connect):
    answer = connect(base_url=f"http://127.0.0.1:{free_port()}").send(BODY)
    assert (answer.step, answer.reason) == (NextStep.NOT_SENT, "not_connected")


def test_a_host_that_does_not_exist_sent_nothing(connect):
    answer = connect(base_url="http://graph.invalid").send(BODY)
    assert (answer.step, answer.reason) == (NextStep.NOT_SENT, "not_connected")


def test_an_address_that_makes_no_sense_sent_nothing(connect):
    assert connect(base_url="nonsense").send(BODY).step == NextStep.NOT_SENT


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("reset", "connection_lost"),
        ("close_silently", "connection_lost"),
        ("break_off", "connection_lost"),
        ("hang", "timeout"),
        ("stall_in_body", "timeout"),
    ],
)
def test_an_answer_that_never_comes_leaves_the_send_in_doubt(graph, connect, fault, reason):
    graph.will(getattr(graph, fault))
    answer = connect(read_timeout=0.2).send(BODY)
    assert (answer.step, answer.reason) == (NextStep.IN_DOUBT, reason)
    assert len(graph.seen) == 1, "never sent again on its own"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(502, "<html>Bad gateway</html>"), "server_error"),
        (Reply(500, refusal(2)), "server_error"),
        (Reply(503, refusal(190)), "server_error"),
        (Reply(200, "<html>hello</html>"), "bad_answer"),
        (Reply(200, ""), "bad_answer"),
        (Reply(200, b"\xff\xfe"), "bad_answer"),
        (Reply(200, "[" * 100_000), "bad_answer"),
        (Reply(200, {"recipient_id": "25"}), "bad_answer"),
        (Reply(200, {"message_id": ""}), "bad_answer"),
        (Reply(200, {"message_id": None}), "bad_answer"),
        (Reply(200, {"message_id": True}), "bad_answer"),
        (Reply(200, ["m_1"]), "bad_answer"),
        (Reply(200, refusal(100)), "bad_answer"),
        (Reply(302, "", {"Location": "/elsewhere"}), "bad_answer"),
        (Reply(403, "<html>a proxy of ours</html>"), "bad_answer"),
        (Reply(400, refusal(1, 1357046)), "bad_answer"),
        (Reply(200, "not zipped", {"Content-Encoding": "gzip"}), "bad_answer"),
    ],
)
def test_an_answer_that_settles_nothing_is_in_doubt(graph, messenger, reply, reason):
    graph.will(reply)
    answer = messenger.send(BODY)
    assert (answer.step, answer.reason) == (NextStep.IN_DOUBT, reason)
    assert len(graph.seen) == 1


def test_a_refusal_carries_its_codes_and_the_platforms_words(graph, messenger):
    graph.will(Reply(400, refusal(551, 1545041)))
    answer = messenger.send(BODY)
    assert isinstance(answer, Failure)
    assert (answer.step, answer.reason) == (NextStep.END_DELIVERY, "blocked")
    assert (answer.status, answer.code, answer.subcode) == (400, 551, 1545041)
    assert '"fbtrace_id": "A1"' in answer.detail


def test_the_same_code_means_the_token_only_where_a_token_was_used(graph, messenger):
    graph.will(Reply(400, refusal(100)))
    by_psid = messenger.send(wire.send_to_psid("25", wire.text("x")))
    assert messenger.send(BODY).step == NextStep.TOKEN_REFUSED
    assert (by_psid.step, by_psid.reason) == (NextStep.END_DELIVERY, "content")


def test_slow_down_says_how_long_when_the_platform_does(graph, messenger):
    business = '{"1":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":3}]}'
    graph.will(Reply(400, refusal(80006), {"X-Business-Use-Case-Usage": business}))
    assert messenger.send(BODY).retry_after_seconds == 180
    graph.will(Reply(429, "", {"Retry-After": "7"}))
    answer = messenger.send(BODY)
    assert (answer.step, answer.retry_after_seconds) == (NextStep.SLOW_DOWN, 7)
    graph.will(Reply(400, refusal(613)))
    assert messenger.send(BODY).retry_after_seconds is None


def test_usage_is_the_fullest_allowance_last_seen(graph, messenger):
    assert messenger.usage() is None
    headers = {
        "X-App-Usage": '{"call_count":28,"total_time":25,"total_cputime":31}',
        "X-Business-Use-Case-Usage": (
            '{"1":[{"type":"messenger","call_count":97,"total_time":1,"estimated_time_to_regain_access":0},'
            '{"type":"ads_management","call_count":100,"estimated_time_to_regain_access":9}]}'
        ),
    }
    graph.will(Reply(200, {"message_id": "m"}, headers), Reply(200, {"message_id": "m"}))
    messenger.send(BODY)
    messenger.send(BODY)
    assert (messenger.usage().percent, messenger.usage().regain_seconds) == (97, 0)


@pytest.mark.parametrize(
    "value", ["", "{", "[]", '{"1":3}', '{"1":[4]}', '{"1":[{"call_count":"x"}]}', "NaN"]
)
def test_odd_usage_headers_change_nothing(graph, messenger, value):
    graph.will(Reply(200, {"message_id": "m"}, {"X-Business-Use-Case-Usage": value, "X-App-Usage": value}))
    assert messenger.send(BODY) == Accepted("m")
    assert messenger.usage() is None or messenger.usage().percent == 0


PROOF = appsecret_proof(APP_SECRET, TOKEN)
OURS = f"{TOKEN} {APP_SECRET} {PROOF} access_token=EAAother1234567 Bearer {TOKEN}"


def faults(graph, echo):
    """Refusals and losses, those that answer repeating `echo`."""
    refused = Reply(400, refusal(100, error_user_msg=echo))
    return [refused, Reply(502, f"<html>{echo}</html>"), Reply(200, echo), graph.hang, graph.reset]


def assert_no_secret_in(text):
    for secret in (TOKEN, ONE_TIME, APP_SECRET, PROOF, "EAAother"):
        assert secret not in text
        assert secret.replace("/", "\\/") not in text


def test_no_secret_shows_in_a_failure_a_repr_or_a_log(graph, connect, caplog):
    caplog.set_level(logging.DEBUG)
    messenger = connect(app_secret=APP_SECRET, read_timeout=0.2)
    nowhere = connect(base_url=f"http://127.0.0.1:{free_port()}", app_secret=APP_SECRET)
    shown = [repr(messenger), str(messenger), repr(nowhere.send(BODY))]
    for script in faults(graph, f"{OURS} {ONE_TIME}"):
        graph.will(script)
        shown += [repr(messenger.send(BODY)), repr(messenger.send_batch([SEND, SEND]))]
    assert "appsecret_proof=[removed]" in caplog.text, "urllib3 logs addresses at DEBUG"
    assert_no_secret_in("\n".join(shown) + caplog.text)


def test_no_secret_shows_in_an_exception_or_behind_it(graph, connect):
    messenger = connect(app_secret=APP_SECRET, read_timeout=0.2)
    for script in faults(graph, OURS):
        graph.will(script)
        with pytest.raises(GraphRefused) as refused:
            messenger.get("me", fields="id")
        error = refused.value
        assert_no_secret_in(f"{error} {error!r} {error.__cause__!r} {error.__context__!r} {error.failure}")


def test_a_token_no_header_can_carry_sends_nothing_and_raises_nothing(graph, connect):
    graph.will(TAKEN)
    broken = Messenger(PAGE_ID, "two\r\nlines", base_url=graph.url, version="v26.0")
    assert broken.send(BODY).step == NextStep.NOT_SENT
    assert graph.seen == []


def test_get_and_post_return_the_answer_or_raise_without_retrying(graph, messenger):
    graph.will(Reply(200, {"id": "1", "name": "Tiệm"}))
    assert messenger.get("me", fields="id,name") == {"id": "1", "name": "Tiệm"}
    assert graph.seen[-1].query == {"fields": "id,name"}
    graph.will(Reply(200, {"success": True}))
    messenger.post("me/messenger_profile", {"get_started": {"payload": "GET_STARTED"}})
    assert graph.seen[-1].json() == {"get_started": {"payload": "GET_STARTED"}}
    graph.will(Reply(400, refusal(190, 463)))
    with pytest.raises(GraphRefused) as refused:
        messenger.get("me")
    assert (refused.value.failure.step, refused.value.failure.reason) == (
        NextStep.STOP_FANPAGE,
        "token_invalid",
    )


def test_a_profile_is_a_name_or_nothing(graph, messenger):
    graph.will(Reply(200, {"first_name": "Lan", "last_name": "Nguyễn", "locale": "vi_VN"}))
    assert messenger.profile("25") == Profile("Lan", "Nguyễn", "vi_VN")
    graph.will(Reply(400, refusal(100, 33)))
    assert messenger.profile("25") is None
    graph.will(graph.reset)
    with pytest.raises(GraphRefused):
        messenger.profile("../me")


def test_a_page_without_leave_to_see_the_locale_still_gets_names(graph, messenger):
    graph.will(Reply(400, refusal(2018247)), Reply(200, {"first_name": "Lan"}), Reply(200, {"first_name": 5}))
    assert messenger.profile("25") == Profile("Lan", None, None)
    assert messenger.profile("26") == Profile(None, None, None)
    assert [seen.query["fields"] for seen in graph.seen] == [
        "first_name,last_name,locale",
        "first_name,last_name",
        "first_name,last_name",
    ]


@pytest.mark.parametrize("answer", [(500, refusal(2)), (429, {}), (400, refusal(2)), (400, refusal(613))])
def test_an_outage_does_not_end_asking_for_the_locale(graph, messenger, answer):
    graph.will(Reply(*answer), Reply(200, {"first_name": "Lan", "locale": "vi_VN"}))
    with pytest.raises(GraphRefused):
        messenger.profile("25")
    assert messenger.profile("25") == Profile("Lan", None, "vi_VN")
