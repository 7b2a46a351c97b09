"""How each part of the set-up stands: red, amber, green, or not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.fanpages.rules import PROBLEMS, RED, HealthProblem, permission_problems
from core.fanpages.set_up_findings import FINDINGS, Finding, describe, may_accept
from core.fanpages.set_up_rules import (
    CONFIRMED_BY_HAND,
    Check,
    Checked,
    Confirmation,
    Facts,
    Light,
    Step,
    StepStatus,
    assess,
    light_of,
)

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=10)
WELL = Facts(
    page_id="100",
    checked_at=EARLIER,
    has_app_secret=True,
    has_verify_token=True,
    heard_at=EARLIER,
    tapped_at=EARLIER,
    runs_worker=True,
    runs_webhook=True,
    checks={check: Checked(at=EARLIER) for check in Check},
    confirmations={Finding.LIVE_UNCONFIRMED: Confirmation("lan", EARLIER)},
)


def at(step: Step, facts: Facts, now: datetime = NOW) -> StepStatus:
    return next(each for each in assess(facts, now) if each.step == step)


def test_a_fanpage_that_was_checked_and_heard_of_is_settled():
    assert light_of(assess(WELL, NOW)) == Light.GREEN
    assert [s.step for s in assess(WELL, NOW) if s.light != Light.GREEN] == [Step.LIVE]  # a person said so


def test_nothing_is_green_before_it_was_checked():
    fresh = Facts(page_id="100", has_app_secret=True, has_verify_token=True)
    assert [s.step for s in assess(fresh, NOW) if s.light == Light.GREEN] == [Step.OTHER_APP]


def test_a_check_of_an_hour_ago_is_no_longer_believed():
    later = NOW + timedelta(hours=1)
    gray = {s.step for s in assess(WELL, later) if s.light == Light.GRAY}
    assert gray == {Step.WEBHOOK, Step.TOKEN, Step.PERMISSIONS, Step.EVENTS, Step.ADDRESSES, Step.CLOCK}
    assert at(Step.APP, WELL, later).light == Light.GREEN  # an event that was signed stays a proof


@pytest.mark.parametrize("code", sorted(HealthProblem))
def test_what_a_health_check_found_is_shown_at_one_step_and_red_is_what_blocks(code):
    statuses = [s for s in assess(replace(WELL, problems=(code,)), NOW) if code in s.codes]
    assert [s.light for s in statuses] == [Light.RED if code in RED else Light.AMBER]
    assert may_accept(code) == (code not in RED)


@pytest.mark.parametrize("code", ["token_invalid", "unreachable", "wrong_app_secret", "no_token"])
def test_what_hides_the_rest_leaves_the_rest_unknown_and_not_green(code):
    facts = replace(WELL, problems=(code,))
    assert at(Step.EVENTS, facts).light == Light.GRAY
    assert at(Step.PERMISSIONS, facts).light == Light.GRAY


def test_amber_is_settled_by_who_accepted_it_and_only_for_what_they_saw():
    facts = replace(
        WELL,
        problems=("not_subscribed",),
        confirmations={**WELL.confirmations, "not_subscribed": Confirmation("lan", NOW)},
    )
    assert at(Step.EVENTS, facts).is_settled
    worse = replace(facts, problems=("not_subscribed", "no_get_started"))
    assert not at(Step.EVENTS, worse).is_settled


def test_a_confirmation_never_settles_what_is_red():
    facts = replace(
        WELL, problems=("token_invalid",), confirmations={"token_invalid": Confirmation("lan", NOW)}
    )
    assert not at(Step.TOKEN, facts).is_settled
    assert light_of(assess(facts, NOW)) == Light.RED


def test_the_permission_is_ticked_by_hand_until_a_tap_proves_it():
    asked = replace(WELL, tapped_at=None)
    assert at(Step.OTN, asked).codes == (Finding.OTN_UNCONFIRMED,)
    ticked = replace(asked, confirmations={Finding.OTN_UNCONFIRMED: Confirmation("lan", NOW)})
    assert (at(Step.OTN, ticked).light, at(Step.OTN, ticked).is_settled) == (Light.AMBER, True)
    assert at(Step.OTN, WELL).light == Light.GREEN


def test_a_rejection_by_facebook_outweighs_taps_and_ticks():
    facts = replace(WELL, problems=("otn_rejected",))
    assert at(Step.OTN, facts).light == Light.RED


def test_the_app_secret_is_proved_by_a_signed_event_only():
    assert at(Step.APP, replace(WELL, heard_at=None)).codes == (Finding.SECRET_UNPROVED,)
    assert at(Step.APP, replace(WELL, has_app_secret=False)).codes == (HealthProblem.NO_APP_SECRET,)


def test_without_a_worker_the_set_up_is_not_in_order():
    assert light_of(assess(replace(WELL, runs_worker=False), NOW)) == Light.AMBER


def test_the_demo_needs_no_app_at_facebook():
    steps = {s.step for s in assess(replace(WELL, is_demo=True), NOW)}
    assert not steps & {Step.APP, Step.OTN, Step.LIVE, Step.ADDRESSES}


def test_before_a_fanpage_is_connected_the_steps_are_the_same():
    assert [s.step for s in assess(Facts(), NOW)] == list(Step)
    assert at(Step.TOKEN, Facts()).light == Light.GRAY


def test_every_finding_has_its_sentence():
    assert set(FINDINGS) == set(Finding)
    assert all(describe(code) for code in [*Finding, *PROBLEMS, "unheard of"])
    assert set(Finding) >= CONFIRMED_BY_HAND


@pytest.mark.parametrize(
    ("scopes", "ends_in_days", "found"),
    [
        (["pages_messaging", "pages_manage_metadata"], None, []),
        (["pages_messaging"], None, ["no_metadata"]),
        ([], 60, ["no_messaging", "no_metadata"]),
        (["pages_messaging", "pages_manage_metadata"], 3, ["token_ends_soon"]),
    ],
)
def test_a_token_lacks_what_it_was_not_given(scopes, ends_in_days, found):
    ends = NOW + timedelta(days=ends_in_days) if ends_in_days else None
    assert permission_problems(scopes, ends, NOW) == found
