"""A refusal is charged to whom it belongs: to the person, the account, or nobody yet. docs/decisions/0027."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, retry, scheduled_jobs
from core.db.engine import reading, transaction
from core.db.tables import Activity, Customer, Fanpage
from core.messenger import connection_check
from core.messenger.client import Messenger
from core.messenger.errors import Failure, NextStep, classify
from core.messenger.send_responses import Accepted
from core.sending.rules import FEW
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from tests.sending.conftest import Studio
from tests.sending.platform import Platform

States = Callable[[], dict[str, int]]
PEOPLE = 60
ONE = "token-30"


def refusal(code: int | str, subcode: int | None = None, *, by_token: bool = True) -> Failure:
    error = {"message": "words may change", "code": code, "error_subcode": subcode}
    return classify(400, error, by_token=by_token)


def asked(code: int, subcode: int | None = None) -> Failure:
    """What the connection says to the question."""
    return refusal(code, subcode, by_token=False)


def marked() -> int:
    with reading() as db:
        return len(
            db.execute(select(col(Customer.id)).where(col(Customer.unreachable_at).is_not(None))).all()
        )


def stopped_code(studio: Studio) -> str | None:
    with reading() as db:
        return db.get_one(Fanpage, studio.fanpage_id).stopped_code


def repair(studio: Studio, broadcast_id: int) -> None:
    """What `fanpage resume` does once its check finds nothing."""
    with transaction() as db:
        db.get_one(Fanpage, studio.fanpage_id).stopped_code = None
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)


def launched(studio: Studio, people: int = PEOPLE) -> int:
    studio.people(people)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id


ACCOUNT = [(230, None), (283, None), (200, None), (210, None), (299, None), (551, None), (10, 424242)]


@pytest.mark.one_database
@pytest.mark.parametrize("code", ACCOUNT, ids=str)
@pytest.mark.parametrize("accepted", [0, 20])
def test_a_permission_that_is_gone_stops_the_fanpage_and_nobody_is_blamed(
    studio: Studio, opt_in_states: States, code: tuple[int, int | None], accepted: int
) -> None:
    refused = refusal(*code)
    studio.platform.profile_trouble = asked(230)
    studio.platform.fault = lambda token, _nth: (
        refused if studio.platform.accepted.total() >= accepted else None
    )
    broadcast_id = launched(studio)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (stopped_code(studio), shown.state, shown.pause_code) == ("permission", "paused", "permission")
    assert (shown.counts["sent"], shown.counts["queued"]) == (accepted, PEOPLE - accepted)
    assert marked() == 0
    assert opt_in_states().get("available", 0) == 0
    studio.platform.profile_trouble, studio.platform.fault = None, lambda _token, _nth: None
    repair(studio, broadcast_id)
    studio.send_all(rounds=3)
    assert studio.show(broadcast_id).counts["sent"] == PEOPLE


@pytest.mark.one_database
@pytest.mark.parametrize("code", [(102, None), (102, 459), (190, 463), (104, None), (2500, None)], ids=str)
def test_a_session_that_is_gone_stops_the_fanpage(studio: Studio, code: tuple[int, int | None]) -> None:
    studio.platform.fault = lambda _token, _nth: refusal(*code)
    broadcast_id = launched(studio, 8)
    studio.send_all(rounds=1)
    assert (stopped_code(studio), studio.show(broadcast_id).counts["queued"]) == ("token_invalid", 8)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("code", "reason", "marks"),
    [
        ((200, None), "unavailable", 1),
        ((230, None), "blocked", 1),
        ((551, None), "blocked", 1),
        ((283, None), "set_aside", 0),
        ((10, 424242), "set_aside", 0),
        ((100, 33), "token_refused", 0),
        ((31337, None), "unknown_error", 0),
        ((31337, 99999), "unknown_error", 0),
    ],
    ids=str,
)
def test_what_is_said_of_one_person_stops_nobody_else(
    studio: Studio, code: tuple[int, int | None], reason: str, marks: int
) -> None:
    studio.platform.fault = lambda token, _nth: refusal(*code) if token == ONE else None
    broadcast_id = launched(studio)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (stopped_code(studio), shown.state) == (None, "finished")
    assert (shown.counts["sent"], shown.reasons) == (PEOPLE - 1, {reason: 1})
    assert marked() == marks


@pytest.mark.one_database
@pytest.mark.parametrize("code", [(2, None), (1, 99), (1, None)], ids=str)
def test_a_passing_fault_of_one_person_is_tried_again_and_then_theirs_alone(
    studio: Studio, opt_in_states: States, code: tuple[int, int | None]
) -> None:
    studio.platform.fault = lambda token, _nth: refusal(*code) if token == ONE else None
    broadcast_id = launched(studio)
    studio.send_all(rounds=10)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"], shown.reasons) == ("finished", PEOPLE - 1, {"temporary": 1})
    assert opt_in_states() == {"spent": PEOPLE - 1, "available": 1}


@pytest.mark.one_database
@pytest.mark.parametrize("code", [(10, None), (368, None), (3, None), (10, 1893063), (190, None)], ids=str)
def test_a_firm_refusal_of_one_person_stops_the_fanpage_once_and_is_then_set_aside(
    studio: Studio, opt_in_states: States, code: tuple[int, int | None]
) -> None:
    studio.platform.fault = lambda token, _nth: refusal(*code) if token == ONE else None
    broadcast_id = launched(studio)
    studio.send_all(rounds=1)
    assert stopped_code(studio)
    repair(studio, broadcast_id)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (stopped_code(studio), shown.state) == (None, "finished")
    assert (shown.counts["sent"], shown.reasons) == (PEOPLE - 1, {"set_aside": 1})
    assert opt_in_states() == {"spent": PEOPLE - 1, "available": 1}


def test_a_firm_refusal_of_everybody_stops_the_fanpage_again(studio: Studio) -> None:
    """Also while the connection works: Messenger restricts sending, not reading. The first call may hold so
    few that they are set aside."""
    studio.platform.fault = lambda _token, _nth: refusal(368)
    broadcast_id = launched(studio)
    for times in range(3):
        studio.send_all(rounds=1)
        shown = studio.show(broadcast_id)
        few = shown.reasons.get("set_aside", 0)
        assert (stopped_code(studio), shown.counts["queued"]) == ("restricted", PEOPLE - few)
        assert few <= FEW * times
        repair(studio, broadcast_id)


def test_a_connection_that_does_not_answer_proves_nothing_either_way(
    studio: Studio, opt_in_states: States
) -> None:
    studio.platform.profile_trouble = Failure(NextStep.IN_DOUBT, "timeout")
    studio.platform.fault = lambda _token, _nth: refusal(230)
    broadcast_id = launched(studio, 8)
    studio.send_all(rounds=3)
    shown = studio.show(broadcast_id)
    assert (stopped_code(studio), shown.counts["queued"], marked()) == (None, 8, 0)
    assert opt_in_states() == {"reserved": 8}


ALIKE = [
    ((551, 1545041), "blocked"),
    ((551, None), "blocked"),
    ((230, None), "blocked"),
    ((100, 2018001), "gone"),
    ((10, 2018108), "unavailable"),
    ((200, None), "unavailable"),
    ((10, 2018278), "window_closed"),
    ((100, 33), "token_refused"),
    ((100, None), "token_refused"),
    ((100, 2018047), "content"),
    ((283, None), "set_aside"),
    ((31337, None), "unknown_error"),
    ((10, 1893015), "opted_out"),
]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("code", "reason", "accepted"),
    [(*each, 3) for each in ALIKE] + [(*each, accepted) for each in ALIKE[1:2] for accepted in (0, 20)],
    ids=str,
)
def test_no_code_walks_through_an_audience_while_the_connection_works(
    studio: Studio, opt_in_states: States, code: tuple[int, int | None], reason: str, accepted: int
) -> None:
    studio.platform.fault = lambda _token, _nth: (
        refusal(*code) if studio.platform.accepted.total() >= accepted else None
    )
    broadcast_id = launched(studio)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (stopped_code(studio), shown.state, shown.pause_code) == (None, "paused", f"alike:{reason}")
    failed, queued = shown.counts["failed"], shown.counts["queued"]
    assert (shown.counts["sent"], failed + queued) == (accepted, PEOPLE - accepted)
    assert shown.reasons == {reason: failed}
    assert marked() == 0
    states = {"spent": accepted, "available": failed, "reserved": queued}
    assert opt_in_states() == {state: people for state, people in states.items() if people}


@pytest.mark.parametrize(("code", "reason"), [((551, None), "blocked"), ((31337, None), "unknown_error")])
def test_after_the_repair_it_goes_on_and_the_failed_can_be_tried_again(
    studio: Studio, opt_in_states: States, code: tuple[int, int | None], reason: str
) -> None:
    studio.platform.fault = lambda _token, _nth: refusal(*code)
    broadcast_id = launched(studio)
    studio.send_all(rounds=2)
    failed = studio.show(broadcast_id).counts["failed"]
    studio.platform.fault = lambda _token, _nth: None
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"], shown.reasons) == (
        "finished",
        PEOPLE - failed,
        {reason: failed},
    )
    assert retry.retry_failed(COMMAND_LINE, broadcast_id, now=studio.now) == failed
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["sent"] == PEOPLE
    assert opt_in_states() == {"spent": PEOPLE}


@pytest.mark.parametrize("people", [5, 12, 19])
def test_a_small_broadcast_pauses_rather_than_finish_when_all_are_refused_alike(
    studio: Studio, opt_in_states: States, people: int
) -> None:
    studio.platform.fault = lambda _token, _nth: refusal(551)
    broadcast_id = launched(studio, people)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code, marked()) == ("paused", "alike:blocked", 0)
    studio.platform.fault = lambda _token, _nth: None
    again = retry.retry_failed(COMMAND_LINE, broadcast_id, now=studio.now)
    assert again == shown.counts["failed"] >= 5
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).state == "finished"
    assert opt_in_states() == {"spent": people}


def test_a_second_run_that_is_refused_alike_pauses_too(studio: Studio) -> None:
    studio.platform.fault = lambda token, _nth: refusal(283) if int(token[6:]) % 20 == 0 else None
    broadcast_id = launched(studio, 120)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.reasons) == ("finished", {"set_aside": 6})
    assert retry.retry_failed(COMMAND_LINE, broadcast_id, now=studio.now) == 6
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code) == ("paused", "alike:set_aside")


def test_several_small_broadcasts_together_are_one_audience(studio: Studio, arrange) -> None:
    """Four of each: none of them has five, and yet the fifth is not all refused."""
    studio.platform.fault = lambda _token, _nth: refusal(551, 1545041)
    topics = [studio.topic_id, *(arrange.topic(studio.fanpage_id, name=f"Chủ đề {n}") for n in range(9))]
    ids = []
    for place, studio.topic_id in enumerate(topics):
        for n in range(4):
            studio.opt_in(f"token-{place}-{n}")
        broadcast_id = studio.broadcast()
        studio.launch(broadcast_id)
        ids.append(broadcast_id)
        studio.loop().drain()
        studio.pass_time(seconds=1)
    states = [studio.show(each).state for each in ids]
    assert states[:4] == ["finished"] * 4
    assert states[4:] == ["paused"] * 6
    assert marked() == 0


def test_a_bad_import_is_not_hidden_by_a_good_broadcast_beside_it(studio: Studio, arrange) -> None:
    good = launched(studio, 100)
    bad_topic = arrange.topic(studio.fanpage_id, name="Nhập từ tệp")
    studio.topic_id = bad_topic
    for n in range(100):
        studio.opt_in(f"bad-{n}")
    bad = studio.broadcast()
    studio.launch(bad)
    studio.platform.fault = lambda token, _nth: refusal(100) if token.startswith("bad") else None
    studio.send_all(rounds=2)
    assert studio.show(bad).pause_code == "alike:token_refused"
    assert (studio.show(good).state, studio.show(good).counts["sent"]) == ("finished", 100)


def test_an_import_of_bad_tokens_after_a_few_good_ones_pauses(studio: Studio, opt_in_states: States) -> None:
    studio.platform.fault = lambda token, _nth: None if int(token[6:]) < 3 else refusal(100)
    broadcast_id = launched(studio, 300)
    studio.loop().drain()
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"]) == ("paused", 3)
    assert opt_in_states().get("refused", 0) == 0


def test_a_token_in_doubt_is_never_given_back(studio: Studio, opt_in_states: States) -> None:
    doubts = {f"token-{n}" for n in range(5)}

    def fault(token: str, nth: int) -> str | Failure:
        return "lost" if token in doubts and nth == 1 else refusal(31337)

    studio.platform.fault = fault
    broadcast_id = launched(studio)
    for _ in range(6):
        studio.send_all(rounds=1)
        if studio.show(broadcast_id).state == "paused":
            actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    shown = studio.show(broadcast_id)
    assert shown.counts["unknown"] == 5
    assert opt_in_states()["reserved"] == 5 + shown.counts["queued"]
    assert marked() == 0


def test_what_the_breaker_did_is_on_record(studio: Studio) -> None:
    studio.platform.fault = lambda _token, _nth: refusal(31337)
    broadcast_id = launched(studio)
    studio.send_all(rounds=1)
    with reading() as db:
        rows = db.execute(select(Activity).where(col(Activity.verb) == "broadcast.pause_itself")).scalars()
        first = rows.all()[0]
    assert (first.subject_id, first.detail["reason"], first.actor) == (
        broadcast_id,
        "unknown_error",
        "system",
    )
    assert first.detail["returned"] >= 5


def test_refusals_believed_within_the_minute_are_made_good_once_the_fanpage_stops(studio: Studio) -> None:
    """The connection worked when it was asked; the permission went a moment later."""
    studio.platform.fault = lambda token, _nth: refusal(230) if token == "token-0" else None
    studio.people(1)
    first = studio.broadcast()
    studio.launch(first)
    studio.loop().drain()
    assert (studio.show(first).reasons, marked()) == ({"blocked": 1}, 1)
    studio.platform.fault = lambda _token, _nth: refusal(190)
    studio.opt_in("another")
    second = studio.broadcast()
    actions.schedule(COMMAND_LINE, second, at=None, now=studio.now)
    scheduled_jobs.start_due(now=studio.now)
    studio.loop().drain()
    assert (stopped_code(studio), marked()) == ("token_invalid", 0)


def test_replies_that_are_refused_alike_blame_nobody_either(studio: Studio) -> None:
    studio.platform.by_psid = lambda _body: refusal(551, by_token=False)
    for _ in range(30):
        studio.reply()
    studio.send_all(rounds=3)
    assert (stopped_code(studio), marked()) == (None, 0)


def test_a_reply_refused_because_a_permission_is_gone_waits_for_it(studio: Studio) -> None:
    studio.platform.by_psid = lambda _body: refusal(230, by_token=False)
    studio.platform.profile_trouble = asked(200)
    studio.reply()
    studio.send_all(rounds=1)
    assert (stopped_code(studio), marked()) == ("permission", 0)


def test_one_reply_never_stops_a_fanpage_twice(studio: Studio) -> None:
    studio.platform.by_psid = lambda _body: refusal(10, by_token=False)
    studio.reply()
    studio.send_all(rounds=1)
    assert stopped_code(studio) == "permission"
    with transaction() as db:
        db.get_one(Fanpage, studio.fanpage_id).stopped_code = None
    studio.send_all(rounds=1)
    assert (stopped_code(studio), marked()) == (None, 0)


def test_the_connection_is_asked_once_a_minute_at_most_while_it_works(monkeypatch) -> None:
    platform, at = Platform(), [1000.0]
    monkeypatch.setattr(connection_check.time, "monotonic", lambda: at[0])
    for seconds in (0, 1, 30, 59.9):
        at[0] = 1000 + seconds
        (answer,) = connection_check.attribute_refusals(platform, [refusal(230)])
        assert answer.step == NextStep.END_DELIVERY
    assert platform.asked == {connection_check.EDGE: 1}
    at[0] = 1060.1
    connection_check.attribute_refusals(platform, [refusal(230)])
    assert platform.asked == {connection_check.EDGE: 2}


@pytest.mark.parametrize("said", [None, Failure(NextStep.SLOW_DOWN, "rate_limit", 400, 613)])
def test_what_the_connection_says_is_kept_for_a_minute_so_that_it_is_not_asked_too_often(said) -> None:
    platform = Platform(profile_trouble=said)
    for _ in range(3):
        connection_check.attribute_refusals(platform, [refusal(100, 33)])
    assert platform.asked == {connection_check.EDGE: 1}


def test_a_repair_is_seen_at_once() -> None:
    platform = Platform(profile_trouble=asked(230))
    (answer,) = connection_check.attribute_refusals(platform, [refusal(230)])
    assert answer.step == NextStep.STOP_FANPAGE
    platform.profile_trouble = None
    (answer,) = connection_check.attribute_refusals(platform, [refusal(230)])
    assert (answer.step, answer.reason) == (NextStep.END_DELIVERY, "blocked")


def test_a_permission_may_go_in_the_middle_of_a_call() -> None:
    """So an acceptance in it shows that the call was sound, which is all a refused token asks; no more."""
    platform = Platform(profile_trouble=asked(230))
    accepted, person = connection_check.attribute_refusals(platform, [Accepted("m_1"), refusal(551)])
    assert (accepted, person.step) == (Accepted("m_1"), NextStep.STOP_FANPAGE)
    assert connection_check.attribute_refusals(platform, [accepted, refusal(100)]) == [accepted, refusal(100)]
    assert platform.asked == {connection_check.EDGE: 1}


@pytest.mark.parametrize(
    ("refused", "said", "step", "reason"),
    [
        ((230, None), None, NextStep.END_DELIVERY, "blocked"),
        ((230, None), (230, None), NextStep.STOP_FANPAGE, "permission"),
        ((230, None), (190, 463), NextStep.STOP_FANPAGE, "token_invalid"),
        ((551, None), (10, None), NextStep.STOP_FANPAGE, "permission"),
        ((200, None), (368, None), NextStep.STOP_FANPAGE, "restricted"),
        ((283, None), (200, None), NextStep.STOP_FANPAGE, "permission"),
        ((31337, None), (31337, None), NextStep.STOP_FANPAGE, "call_refused"),
        ((31337, None), (100, None), NextStep.END_DELIVERY, "unknown_error"),
        ((230, None), (2, None), NextStep.RETRY_LATER, "temporary"),
        ((2, None), (2, None), NextStep.RETRY_LATER, "temporary"),
        ((2, None), None, NextStep.RETRY_LATER, "temporary"),
        ((1, 99), None, NextStep.RETRY_LATER, "temporary"),
        ((1, 99), (1, 99), NextStep.STOP_FANPAGE, "permission"),
        ((230, None), (613, None), NextStep.RETRY_LATER, "temporary"),
        ((100, 33), None, NextStep.TOKEN_REFUSED, "token_refused"),
        ((100, 33), (100, 33), NextStep.STOP_FANPAGE, "call_refused"),
        ((100, None), (230, None), NextStep.STOP_FANPAGE, "permission"),
        ((10, None), None, NextStep.STOP_FANPAGE, "permission"),
        ((10, None), (230, None), NextStep.STOP_FANPAGE, "permission"),
    ],
    ids=str,
)
def test_the_lines_word_decides_to_whom_a_refusal_belongs(refused, said, step, reason) -> None:
    answer = connection_check.attribute_refusal(refusal(*refused), asked(*said) if said else None)
    assert isinstance(answer, Failure)
    assert (answer.step, answer.reason) == (step, reason)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("fault", "said", "stopped", "sent"),
    [
        ("permission_gone", {"value": {"code": 283, "status": 403}, "after": 0}, "permission", 0),
        ("session_102", {}, "token_invalid", 0),
        ("not_receiving_200", {"count": 1}, None, 29),
        ("blocked_551", {"after": 10}, None, 10),
    ],
)
def test_by_the_real_client_too(
    studio: Studio, fault: str, said: dict, stopped: str | None, sent: int
) -> None:
    page_id = "100000000000099"
    with (
        running_simulator(World(clock=lambda: studio.now.timestamp())) as url,
        SimulatorClient(url) as remote,
    ):
        remote.save_page(page_id, name="Tiệm Hoa Mai", token="page-token", app_secret="app-secret")
        for issued in remote.issue_tokens(page_id, 30):
            studio.opt_in(issued["token"])
        broadcast_id = studio.broadcast()
        studio.launch(broadcast_id)
        remote.fault(fault, **said)
        messenger = Messenger(page_id, "page-token", base_url=url, version="v26.0", app_secret="app-secret")
        studio.loop(find_connections=lambda ids: dict.fromkeys(ids, messenger)).drain()
        messenger.close()
    shown = studio.show(broadcast_id)
    assert (stopped_code(studio), shown.counts["sent"]) == (stopped, sent)
    assert marked() == (1 if sent == 29 else 0)
