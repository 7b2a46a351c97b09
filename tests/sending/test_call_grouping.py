"""What rides together in one call, and what of it still leaves when that call is followed by others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.messenger.errors import Failure, NextStep
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.messenger.send_responses import Answer
from core.sending.calls.grouping import PlannedMessage, grouped
from core.sending.claims import Claim
from core.sending.replies.claims import ReplyClaim
from core.sending.senders.one_time_token import OneTimeToken
from tests.sending.conftest import Studio
from tests.sending.platform import Platform

TOKEN = OneTimeToken()
REFUSED = Failure(NextStep.END_DELIVERY, "content", 400, 100)


@dataclass(eq=False)
class OwnConnection(Platform):
    """A fanpage's own connection to a platform that refuses mixed calls, whatever happens meanwhile."""

    root: str = "https://graph.example"
    mixed_calls: list[int] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def send_mixed(self, items: Sequence[object]) -> list[Answer] | Failure:
        self.mixed_calls.append(len(items))
        self.meanwhile()
        return REFUSED


def claim_of(fanpage_id: int, number: int, *, in_doubt: bool = False) -> Claim:
    return Claim(number, fanpage_id, fanpage_id, number, None, 1, 0, in_doubt, TOKEN, f"token-{number}")


def test_fanpages_share_calls_of_fifty_unless_they_are_kept_apart() -> None:
    leaving = [PlannedMessage(1.0, claim_of(number % 3, number)) for number in range(120)]
    mixed = grouped(leaving)
    assert [(at, len(call)) for at, call in mixed] == [(1.0, 50), (1.0, 50), (1.0, 20)]
    apart = grouped(leaving, groups={0: 0, 1: 1, 2: 2})
    assert [(at, len(call)) for at, call in apart] == [(1.0, 40)] * 3
    assert [{claim.fanpage_id for claim in call} for _, call in apart] == [{0}, {1}, {2}]


def test_what_is_in_doubt_shares_no_call_with_other_fanpages() -> None:
    """Refused in a mixed call it would be sent a second time at once, beside the rate."""
    claims = [claim_of(number % 3, number, in_doubt=number % 3 == 1) for number in range(12)]
    calls = [call for _, call in grouped([PlannedMessage(1.0, each) for each in claims])]
    assert [{claim.fanpage_id for claim in call} for call in calls] == [{0, 2}, {1}]


def test_a_message_by_psid_rides_alone(studio: Studio) -> None:
    claims = [
        ReplyClaim(n, 1, n, "1", None, True, {}, False, 0, None, None, "w", 0.0, studio.now) for n in range(2)
    ]
    calls = grouped([PlannedMessage(1.0, each) for each in claims])
    assert calls == [(1.0, [claims[0]]), (1.0, [claims[1]])]


def shops(studio: Studio, connections: dict[int, OwnConnection], people: int = 1) -> list[int]:
    """A broadcast for each of some fanpages."""
    made = []
    for number in range(3):
        studio.fanpage_id = studio.arrange.fanpage(rate=300)
        studio.topic_id = studio.arrange.topic(studio.fanpage_id)
        connections[studio.fanpage_id] = OwnConnection()
        for person in range(people):
            studio.opt_in(f"token-{number}-{person}")
        made.append(studio.broadcast())
        studio.launch(made[-1])
    return made


def test_while_mixed_calls_are_refused_no_fanpage_waits_for_anothers_answer(studio: Studio) -> None:
    connections: dict[int, OwnConnection] = {}
    broadcasts = shops(studio, connections)
    together = threading.Barrier(3)

    def wait_for_the_others(_token: str, _nth: int) -> None:
        together.wait(timeout=20)  # broken when one waits for another's answer

    for connection in connections.values():
        connection.fault = wait_for_the_others
    loop = studio.loop(
        find_connections=lambda ids: {each: connections[each] for each in ids},
        mixed_calls=MixedCallSwitch(wanted=False),
    )
    loop.drain()
    assert [studio.show(each).counts["sent"] for each in broadcasts] == [1, 1, 1]
    assert not together.broken


def test_a_pause_while_a_mixed_call_is_refused_keeps_its_messages_here(studio: Studio) -> None:
    connections: dict[int, OwnConnection] = {}
    broadcasts = shops(studio, connections)
    loop = studio.loop(find_connections=lambda ids: {each: connections[each] for each in ids})

    def pause_and_notice() -> None:
        actions.pause(COMMAND_LINE, broadcasts[1], now=studio.now)
        loop.snapshots.fresh(0.0)

    for connection in connections.values():
        connection.meanwhile = pause_and_notice
    loop.drain()
    assert [len(each.mixed_calls) for each in connections.values()] == [1, 0, 0]
    assert [studio.show(each).counts["sent"] for each in broadcasts] == [1, 0, 1]
    paused = studio.show(broadcasts[1])
    assert (paused.counts["queued"], paused.in_doubt, paused.balances) == (1, 0, True)
