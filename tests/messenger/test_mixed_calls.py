"""Messages of several fanpages in one call: whatever comes back, nobody pays for another fanpage."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.bench.receiver import messages_of
from core.messenger import mixed_call_switch, wire
from core.messenger.batch import SharedMessage, TokenSend
from core.messenger.client import Messenger
from core.messenger.errors import Failure, NextStep
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.messenger.mixed_calls import AddressedSend, send_together
from core.messenger.send_responses import Accepted
from core.messenger.signature import appsecret_proof
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from tests.messenger.conftest import APP_SECRET
from tests.messenger.graph import Handler, Reply, Seen
from tests.messenger.test_batch import item, steps, taken
from tests.messenger.test_client import refusal
from tests.processes import free_port

MESSAGE = SharedMessage(wire.text("Chào & mừng"))
PAGES = ("100000000000001", "100000000000002", "100000000000003")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Told:
    """What a worker is told of mixed calls."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.mixed_calls = MixedCallSwitch(clock=self.clock)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def lines(graph) -> Iterator[Callable[..., list[Messenger]]]:
    made: list[Messenger] = []

    def _lines(count: int = 3, **more: object) -> list[Messenger]:
        known = {"base_url": graph.url, "version": "v26.0", "read_timeout": 5.0, **more}
        made.extend(Messenger(str(n), f"EAAB/page+token={n}", **known) for n in range(count))
        return made[-count:]

    yield _lines
    for messenger in made:
        messenger.close()


def items_of(messengers: list[Messenger], each: int = 1) -> list[AddressedSend]:
    """Fanpage by fanpage in turns, as the loop mixes them."""
    return [
        AddressedSend(
            messenger, TokenSend(f"one-time/{number}-{turn}", MESSAGE, f"otn.delivery.{number}.{turn}")
        )
        for turn in range(each)
        for number, messenger in enumerate(messengers)
    ]


def apart(seen: list[Seen]) -> list[str]:
    """The fanpages that got calls of their own, in order."""
    return [each.path.split("/")[2] for each in seen if each.path.endswith("/messages")]


def test_each_item_goes_by_its_own_fanpage_as_documented(graph, lines, told):
    graph.will(Reply(200, [taken(n) for n in range(3)]))
    messengers = lines(app_secret=APP_SECRET)
    answers = send_together(items_of(messengers), told.mixed_calls)
    assert answers == [Accepted(f"m_{n}") for n in range(3)]
    (seen,) = graph.seen
    assert (seen.path, seen.query) == ("/v26.0/", {})
    form = seen.form()
    assert (form["access_token"], form["include_headers"]) == ("EAAB/page+token=0", "false")
    sent = json.loads(form["batch"])
    assert [(i["method"], i["relative_url"]) for i in sent] == [("POST", f"{n}/messages") for n in range(3)]
    for number, each in enumerate(sent):
        inner = {key: values[0] for key, values in parse_qs(each["body"], strict_parsing=True).items()}
        assert inner["access_token"] == f"EAAB/page+token={number}"
        assert inner["appsecret_proof"] == appsecret_proof(APP_SECRET, f"EAAB/page+token={number}")
        assert json.loads(inner["recipient"]) == {"one_time_notif_token": f"one-time/{number}-0"}
        assert json.loads(inner["message"]) == {
            "text": "Chào & mừng",
            "metadata": f"otn.delivery.{number}.0",
        }
        assert inner["messaging_type"] == "UPDATE"


def test_without_an_app_secret_there_is_no_proof(graph, lines, told):
    graph.will(Reply(200, [taken(n) for n in range(3)]))
    send_together(items_of(lines()), told.mixed_calls)
    assert b"appsecret_proof" not in graph.seen[0].body


def test_one_fanpage_alone_goes_as_it_always_did(graph, lines, told):
    graph.will(Reply(200, [taken(0), item(400, refusal(551, 1545041))]))
    answers = send_together(items_of(lines(1), each=2), told.mixed_calls)
    assert steps(answers) == ["m_0", NextStep.END_DELIVERY]
    (seen,) = graph.seen
    assert [i["relative_url"] for i in json.loads(seen.form()["batch"])] == ["me/messages"] * 2
    assert send_together([], told.mixed_calls) == []


def test_more_than_fifty_are_refused_before_anything_is_sent(graph, lines, told):
    with pytest.raises(ValueError, match="at most 50"):
        send_together(items_of(lines(3), each=17), told.mixed_calls)
    assert graph.seen == []


def test_the_setting_keeps_fanpages_apart(graph, lines):
    graph.will(Reply(200, {"message_id": "m_1"}))
    kept_apart = MixedCallSwitch(wanted=False)
    assert not kept_apart.allowed()
    assert steps(send_together(items_of(lines()), kept_apart)) == ["m_1"] * 3
    assert apart(graph.seen) == ["0", "1", "2"]


def test_fanpages_of_different_servers_or_versions_never_share_a_call(graph, lines, told):
    graph.will(Reply(200, {"message_id": "m_1"}))
    mixture = [*lines(1), *lines(2, version="v25.0")[1:]]
    assert steps(send_together(items_of(mixture), told.mixed_calls)) == ["m_1"] * 2
    assert apart(graph.seen) == ["0", "1"]


# What becomes of the items


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (None, NextStep.IN_DOUBT),
        (item(500, refusal(1)), NextStep.IN_DOUBT),
        (item(400, refusal(1, 1357046)), NextStep.IN_DOUBT),
        (item(400, refusal(613)), NextStep.SLOW_DOWN),
        (item(400, refusal(1200)), NextStep.RETRY_LATER),
        (item(400, refusal(551, 1545041)), NextStep.END_DELIVERY),
    ],
)
def test_what_speaks_of_the_item_alone_is_taken_as_it_is(graph, lines, told, answer, step):
    graph.will(Reply(200, [taken(0), answer, taken(2)]))
    assert steps(send_together(items_of(lines()), told.mixed_calls)) == ["m_0", step, "m_2"]
    assert len(graph.seen) == 1


@pytest.mark.parametrize("refused", [(190, None), (100, None), (100, 33), (230, None), (31337, None)])
def test_a_refusal_that_the_mixed_call_may_explain_is_asked_again_apart(graph, lines, told, refused):
    graph.will(
        Reply(200, [taken(0), item(400, refusal(*refused)), taken(2)]), Reply(200, {"message_id": "alone"})
    )
    assert steps(send_together(items_of(lines()), told.mixed_calls)) == ["m_0", "alone", "m_2"]
    assert apart(graph.seen) == ["1"]


def test_an_acceptance_of_the_same_fanpage_shows_that_its_token_was_looked_at(graph, lines, told):
    """So its refused token is judged as in a call of its own, and not sent again."""
    graph.will(Reply(200, [taken(0), taken(1), taken(2), item(400, refusal(100)), taken(4), taken(5)]))
    answers = send_together(items_of(lines(), each=2), told.mixed_calls)
    assert steps(answers) == ["m_0", "m_1", "m_2", NextStep.TOKEN_REFUSED, "m_4", "m_5"]
    assert len(graph.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, [taken(0), taken(1)]),
        Reply(200, [taken(n) for n in range(4)]),
        Reply(200, []),
        Reply(200, {"error": {"code": 190}}),
        Reply(200, "<html>"),
        Reply(400, refusal(1, 1357046)),
        Reply(500, refusal(190)),
        Reply(502, "<html>"),
        Reply(403, "<html>"),
    ],
    ids=str,
)
def test_what_leaves_it_open_leaves_all_in_doubt_and_nothing_goes_again(graph, lines, told, reply):
    graph.will(reply)
    assert steps(send_together(items_of(lines()), told.mixed_calls)) == [NextStep.IN_DOUBT] * 3
    assert len(graph.seen) == 1


@pytest.mark.parametrize("trouble", ["hang", "reset", "break_off", "close_silently"])
def test_a_lost_call_leaves_all_in_doubt_and_nothing_goes_again(graph, lines, told, trouble):
    graph.will(getattr(graph, trouble))
    assert (
        steps(send_together(items_of(lines(read_timeout=0.2)), told.mixed_calls)) == [NextStep.IN_DOUBT] * 3
    )
    assert len(graph.seen) == 1


def test_a_call_that_never_left_was_not_sent(lines, told):
    nowhere = lines(base_url=f"http://127.0.0.1:{free_port()}")
    assert steps(send_together(items_of(nowhere), told.mixed_calls)) == [NextStep.NOT_SENT] * 3


@pytest.mark.parametrize("code", [190, 100, 2, 4, 80006, 31337])
def test_a_refusal_of_the_whole_call_says_nothing_about_the_items(graph, lines, told, code):
    graph.will(Reply(400, refusal(code)), Reply(200, {"message_id": "alone"}))
    assert steps(send_together(items_of(lines()), told.mixed_calls)) == ["alone"] * 3
    assert apart(graph.seen) == ["0", "1", "2"]


def test_what_was_paused_before_its_own_calls_turn_stays_here(graph, lines, told):
    """The refused call took its time, and so does each that follows."""
    graph.will(Reply(400, refusal(1)), Reply(200, {"message_id": "alone"}))

    def is_not_paused(place: int) -> bool:
        return place != 0 and not apart(graph.seen)

    answers = send_together(items_of(lines()), told.mixed_calls, may_leave=is_not_paused)
    assert (answers[0], answers[2]) == (None, None)
    assert steps(answers[1:2]) == ["alone"]
    assert apart(graph.seen) == ["1"]


# What it teaches about mixed calls


def refuse_mixed(graph, why: Callable[[], Reply]) -> None:
    def answer(handler: Handler) -> None:
        mine = [each for each in graph.seen if each.connection == handler.client_address][-1]
        handler.answer(why() if mine.path == "/v26.0/" else Reply(200, {"message_id": "alone"}))

    graph.will(answer)


def test_after_three_refusals_fanpages_are_kept_apart_and_one_call_tries_again(graph, lines, told, caplog):
    messengers, refuses = lines(), True
    refuse_mixed(
        graph, lambda: Reply(400, refusal(100)) if refuses else Reply(200, [taken(n) for n in range(3)])
    )

    def sent_mixed() -> bool:
        before = len(graph.seen)
        send_together(items_of(messengers), told.mixed_calls)
        return graph.seen[before].path == "/v26.0/"

    assert [sent_mixed() for _ in range(5)] == [True, True, True, False, False]
    assert told.mixed_calls.is_refused
    told.clock.now += mixed_call_switch.REST_SECONDS - 1
    assert not told.mixed_calls.allowed()
    told.clock.now += 1
    assert [told.mixed_calls.allowed(), sent_mixed(), sent_mixed()] == [True, True, False]
    told.clock.now += mixed_call_switch.REST_SECONDS
    refuses = False
    assert [sent_mixed() for _ in range(3)] == [True] * 3
    assert not told.mixed_calls.is_refused


def test_the_fallback_is_said_once_in_the_log(graph, lines, told, monkeypatch):
    said: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(mixed_call_switch.log, "warning", lambda event, **more: said.append((event, more)))
    refuse_mixed(graph, lambda: Reply(400, refusal(31337)))
    for _ in range(6):
        send_together(items_of(lines()), told.mixed_calls)
    ((event, more),) = said
    assert (event, more["code"]) == ("mixed_calls_refused", 31337)


def test_a_trial_is_granted_to_one_thread_and_again_when_it_showed_nothing(told):
    for _ in range(3):
        told.mixed_calls.note_refused(Failure(NextStep.STOP_FANPAGE, "call_refused"))
    told.clock.now += mixed_call_switch.REST_SECONDS
    granted: list[bool] = []
    threads = [threading.Thread(target=lambda: granted.append(told.mixed_calls.may_try())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(granted) == {True: 1, False: 7}
    told.clock.now += mixed_call_switch.TRIAL_SECONDS
    assert told.mixed_calls.may_try()


def test_a_success_in_between_begins_the_count_anew(told):
    why = Failure(NextStep.STOP_FANPAGE, "call_refused")
    for _ in range(3):
        told.mixed_calls.note_refused(why)
        told.mixed_calls.note_refused(why)
        told.mixed_calls.note_accepted()
    assert told.mixed_calls.allowed()
    assert not told.mixed_calls.is_refused


def test_a_dead_token_of_the_call_itself_does_not_speak_against_mixed_calls(graph, lines, told):
    def answer(handler: Handler) -> None:
        mine = [each for each in graph.seen if each.connection == handler.client_address][-1]
        dead = mine.path == "/v26.0/" or "/0/" in mine.path or mine.path.endswith("/me")
        handler.answer(Reply(400, refusal(190)) if dead else Reply(200, {"message_id": "alone"}))

    graph.will(answer)
    for _ in range(4):
        answers = send_together(items_of(lines()), told.mixed_calls)
        assert steps(answers) == [NextStep.STOP_FANPAGE, "alone", "alone"]
    assert told.mixed_calls.allowed()


# Usage and secrets


def test_a_businesss_usage_is_its_own_fanpages_and_the_apps_is_everybodys(graph, lines, told):
    rows = {"1": [{"type": "messenger", "call_count": 90, "estimated_time_to_regain_access": 3}]}
    headers = {"X-App-Usage": '{"call_count": 20}', "X-Business-Use-Case-Usage": json.dumps(rows)}
    limited = [item(400, refusal(613))] * 3
    graph.will(Reply(200, limited, headers))
    messengers = lines()
    answers = send_together(items_of(messengers), told.mixed_calls)
    assert [each.usage().percent for each in messengers] == [20.0, 90.0, 20.0]
    assert [each.retry_after_seconds for each in answers] == [None, 180.0, None]


def test_no_secret_of_any_fanpage_shows_in_the_answer_to_another(graph, lines, told):
    messengers = lines(app_secret=APP_SECRET)
    items = items_of(messengers)
    secrets = [
        *(f"EAAB/page+token={n}" for n in range(3)),
        *(appsecret_proof(APP_SECRET, f"EAAB/page+token={n}") for n in range(3)),
        *(f"one-time/{n}-0" for n in range(3)),
        APP_SECRET,
    ]
    echo = {"error": {"message": " ".join(secrets), "code": 551, "error_subcode": 1545041}}
    graph.will(Reply(200, [item(400, echo)] * 3))
    shown = repr(send_together(items, told.mixed_calls)) + repr(items[0])
    graph.will(Reply(500, echo))
    shown += repr(send_together(items, told.mixed_calls))
    assert "[removed]" in shown
    for secret in secrets:
        assert secret not in shown
        assert secret.replace("/", "\\/") not in shown


# Against the pretend Messenger


@dataclass
class Shops:
    """Three fanpages at one pretend Messenger."""

    remote: SimulatorClient
    messengers: dict[str, Messenger]

    def items(self, each: int = 1) -> list[AddressedSend]:
        tokens = {page_id: self.remote.issue_tokens(page_id, each) for page_id in PAGES}
        return [
            AddressedSend(self.messengers[page_id], TokenSend(tokens[page_id][turn]["token"], MESSAGE, "m"))
            for turn in range(each)
            for page_id in PAGES
        ]

    def accepted(self) -> list[int]:
        return [self.remote.books(page_id, short=True)["accepted"] for page_id in PAGES]


@pytest.fixture
def shops() -> Iterator[Shops]:
    messengers = {}
    with running_simulator(World()) as url, SimulatorClient(url) as remote:
        for page_id in PAGES:
            token = f"token-of-{page_id}"
            remote.save_page(page_id, name="Tiệm", token=token, app_secret=APP_SECRET, require_proof=True)
            known = {"base_url": url, "version": "v26.0", "app_secret": APP_SECRET, "read_timeout": 5.0}
            messengers[page_id] = Messenger(page_id, token, **known)
        yield Shops(remote, messengers)
        for messenger in messengers.values():
            messenger.close()


def test_three_fanpages_share_one_call(shops, told):
    answers = send_together(shops.items(2), told.mixed_calls)
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert shops.accepted() == [2, 2, 2]


@pytest.mark.parametrize("dead", range(3))
def test_one_dead_token_among_three_stops_its_own_fanpage_alone(shops, told, dead):
    """Also when it is the first one, whose token stands for the whole call."""
    page_id, items = PAGES[dead], shops.items(2)
    shops.remote.save_page(page_id, name="Tiệm", token="renewed")
    answers = send_together(items, told.mixed_calls)
    for place, answer in enumerate(answers):
        if place % 3 == dead:
            assert (answer.step, answer.reason) == (NextStep.STOP_FANPAGE, "token_invalid")
        else:
            assert isinstance(answer, Accepted)
    assert shops.accepted() == [0 if n == dead else 2 for n in range(3)]
    assert told.mixed_calls.allowed()


def test_a_used_token_alone_in_the_call_is_refused_as_such(shops, told):
    used, *others = shops.items()
    send_together([used], told.mixed_calls)
    answers = send_together([used, *others], told.mixed_calls)
    assert [getattr(each, "step", "sent") for each in answers] == [NextStep.TOKEN_REFUSED, "sent", "sent"]


def test_a_platform_that_overlooks_item_tokens_sends_nothing_for_the_wrong_fanpage(shops, told):
    shops.remote.fault("mixed_tokens_ignored")
    for turn in range(1, 4):
        answers = send_together(shops.items(2), told.mixed_calls)
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert shops.accepted() == [2 * turn] * 3
    assert told.mixed_calls.is_refused


def test_a_platform_that_refuses_mixed_calls_gets_calls_apart(shops, told):
    shops.remote.fault("mixed_refused")
    for turn in range(1, 5):
        answers = send_together(shops.items(), told.mixed_calls)
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert shops.accepted() == [turn] * 3
    assert told.mixed_calls.is_refused


def test_a_permission_that_is_gone_is_found_by_the_fanpages_own_call(shops, told):
    shops.remote.fault("permission_gone", page_id=PAGES[1])
    answers = send_together(shops.items(), told.mixed_calls)
    assert isinstance(answers[0], Accepted)
    assert (answers[1].step, answers[1].reason) == (NextStep.STOP_FANPAGE, "permission")
    assert isinstance(answers[2], Accepted)
    assert told.mixed_calls.allowed()


_FAULTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "batch_null",
                "batch_null_after",
                "batch_short",
                "batch_1357046",
                "batch_longer",
                "http_500_after",
                "drop_after",
                "html_502_before",
                "message_500_after",
                "token_invalid",
                "refuse",
                "rate_613",
                "temporary",
                "blocked_230",
                "mixed_refused",
                "mixed_tokens_ignored",
            ]
        ),
        st.integers(0, 3),
        st.sampled_from([None, *PAGES]),
    ),
    max_size=3,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=_FAULTS, each=st.integers(1, 3), data=st.data())
def test_answers_keep_their_order_and_nothing_goes_twice_unless_it_was_refused(shops, faults, each, data):
    shops.remote.end_faults()
    items = data.draw(st.permutations(shops.items(each)))
    for name, after, page_id in faults:
        shops.remote.fault(name, after=after, count=2, page_id=page_id)
    answers = send_together(items, MixedCallSwitch())
    sends = [sent for page_id in PAGES for sent in shops.remote.books(page_id)["sends"]]
    for addressed, answer in zip(items, answers, strict=True):
        mids = [sent["mid"] for sent in sends if sent["token"] == addressed.send.token]
        assert len(mids) <= 2
        assert not any(mids[:-1]), "it went again although it had been taken"
        if isinstance(answer, Accepted):
            assert answer.mid == mids[-1]
        elif any(mids):
            assert answer.step == NextStep.IN_DOUBT


REFUSALS = [
    Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100),
    Failure(NextStep.STOP_FANPAGE, "token_invalid", 400, 190),
    Failure(NextStep.PERSON_OR_ACCOUNT, "unknown_error", 400, 31337, person_step=NextStep.END_DELIVERY),
    Failure(NextStep.END_DELIVERY, "blocked", 400, 551),
    Failure(NextStep.SLOW_DOWN, "rate_limit", 400, 613),
    Failure(NextStep.RETRY_LATER, "temporary", 400, 1200),
    Failure(NextStep.NOT_SENT, "not_connected"),
]
DOUBT = Failure(NextStep.IN_DOUBT, "timeout")
_ANSWERS = st.sampled_from(["accepted", DOUBT, *REFUSALS])


@dataclass(eq=False)
class Scripted:
    """A fanpage's line that answers as drawn and keeps what went over it."""

    data: st.DataObject
    sent: list[tuple[str, object]]
    root: str = "one"

    def send_mixed(self, items):
        whole = self.data.draw(st.sampled_from([None, None, *REFUSALS[:-1]]))
        if whole:
            self.sent += [(send.token, whole) for _, send in items]
            return whole
        return [self._answer(send) for _, send in items]

    def send_batch(self, sends):
        return [self._answer(send) for send in sends]

    def get(self, _path, **_params):
        return {}

    def _answer(self, send):
        drawn = self.data.draw(_ANSWERS)
        answer = Accepted(send.token) if drawn == "accepted" else replace(drawn, detail=send.token)
        self.sent.append((send.token, answer))
        return answer


@given(owners=st.lists(st.integers(0, 3), min_size=1, max_size=8), data=st.data())
def test_each_gets_its_own_last_answer_and_goes_again_only_if_it_was_surely_refused(owners, data):
    sent: list[tuple[str, Any]] = []
    lines = [Scripted(data, sent) for _ in range(4)]
    items = [AddressedSend(lines[o], TokenSend(f"token-{n}", MESSAGE, "m")) for n, o in enumerate(owners)]
    answers = send_together(items, MixedCallSwitch())
    for addressed, answer in zip(items, answers, strict=True):
        token = addressed.send.token
        *earlier, last = [said for sent_token, said in sent if sent_token == token]
        assert len(earlier) <= 1
        assert all(said.step not in (NextStep.IN_DOUBT, NextStep.NOT_SENT) for said in earlier)
        assert (answer.mid if isinstance(answer, Accepted) else answer.detail) == token
        if not isinstance(last, Accepted) and last.step != NextStep.PERSON_OR_ACCOUNT:
            assert answer.step == last.step


def test_the_receiver_of_the_benches_knows_whose_an_item_is(graph, lines, told):
    graph.will(Reply(200, [taken(n) for n in range(4)]))
    known = {"base_url": graph.url, "version": "v26.0"}
    fast, slow = (Messenger(str(rate), f"pace-{rate}", **known) for rate in (300, 2))
    send_together(items_of([fast, slow], each=2), told.mixed_calls)
    send_together(items_of([fast], each=4), told.mixed_calls)
    send_together(items_of([slow]), told.mixed_calls)
    heads = [f"POST {s.path} HTTP/1.1\r\nauthorization: {s.headers.get('Authorization')}" for s in graph.seen]
    found = [
        messages_of(head.lower().encode(), seen.body) for head, seen in zip(heads, graph.seen, strict=True)
    ]
    assert found == [{300: 2, 2: 2}, {300: 4}, {2: 1}]
    fast.close()
    slow.close()
