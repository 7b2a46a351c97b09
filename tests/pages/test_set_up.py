"""The set-up page: the assistant's steps, what is accepted, OTN off and on, and the stop of every send."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.db import holding
from core.db.engine import reading
from core.db.tables import SetUpConfirmation
from core.fanpages.queries import get_fanpage
from core.fanpages.set_up_rules import Step
from core.installation import hold_actions
from tests.pages.shown import all_words


def test_before_anything_is_connected_every_step_says_what_to_do(panel):
    at = panel("setup")
    assert not at.exception
    assert len(at.expander) == len(Step)
    assert "Create a Facebook app and copy its secret" in at.expander[0].label
    assert "Requested features" in all_words(at)  # the drawing
    assert [e.proto.expanded for e in at.expander].count(True) == 1  # one step at a time


def test_the_permission_is_ticked_and_taken_back(panel, arrange):
    fanpage = arrange.fanpage(page_id="100000000000007", checked_at=utc_now())
    at = panel("setup")
    at.button(key="accept_otn_unconfirmed").click().run()
    assert not at.exception
    with reading() as db:
        assert db.get(SetUpConfirmation, ("100000000000007", "otn_unconfirmed")).by == "admin.setup"
    assert "Confirmed by admin.setup" in all_words(at)
    at.button(key="take_back_otn_unconfirmed").click().run()
    with reading() as db:
        assert db.get(SetUpConfirmation, ("100000000000007", "otn_unconfirmed")) is None
    assert get_fanpage(fanpage).problems == ()


def test_red_offers_its_remedy_and_nothing_to_accept(panel, arrange):
    arrange.fanpage(problems=["no_messaging"], checked_at=utc_now())
    at = panel("setup")
    assert "Nothing can be launched until this is fixed." in all_words(at)
    assert not [b for b in at.button if b.key == "accept_no_messaging"]


def test_amber_is_accepted_for_this_fanpage(panel, arrange):
    arrange.fanpage(problems=["no_get_started"], checked_at=utc_now())
    at = panel("setup")
    at.button(key="accept_no_get_started").click().run()
    assert "Accepted by admin.setup" in all_words(at)


def test_otn_is_switched_off_and_on_with_what_it_means_said_first(panel, arrange):
    fanpage = arrange.fanpage()
    at = panel("setup")
    at.button(key="otn_off_open").click().run()
    assert "broadcasts that are being sent pause" in all_words(at)
    at.button(key="otn_off_confirm").click().run()
    assert get_fanpage(fanpage).otn_off_by == "admin.setup"
    assert "One-time notifications are off" in all_words(at)
    at.button(key="otn_on_open").click().run()
    at.button(key="otn_on_confirm").click().run()
    assert get_fanpage(fanpage).otn_off_at is None


@pytest.mark.parametrize("role", ["sender", "admin"])
def test_one_button_stops_every_send_and_any_page_lets_it_go_on(panel, arrange, role):
    arrange.fanpage()
    at = panel("health", role=role)
    at.button(key="stop_all_open").click().run()
    at.button(key="stop_all_confirm").click().run()
    assert not at.exception
    assert holding.current_hold().place == f"{role}.health"
    at = panel("topics", role=role)
    assert "All sending is stopped" in at.error[0].value
    at.button(key="go_on_all_open").click().run()
    at.button(key="go_on_all_confirm").click().run()
    assert not at.exception
    assert holding.current_hold() is None


def test_who_may_not_send_sees_the_stop_and_no_button(panel, arrange, now):
    arrange.fanpage()
    assert not [b for b in panel("health", role="editor").button if b.key == "stop_all_open"]
    hold_actions.stop_sending(COMMAND_LINE, now=now)
    at = panel("topics", role="editor")
    assert "All sending is stopped" in at.error[0].value
    assert not [b for b in at.button if b.key == "go_on_all_open"]


def test_the_first_steps_hold_the_permission_and_keep_nobody_waiting_for_an_admin(panel, arrange):
    arrange.fanpage(checked_at=utc_now() - timedelta(minutes=1))
    at = panel("overview", role="admin")
    assert at.button(key="first_step_go").label == "See how"
    at = panel("overview", role="editor")
    assert at.button(key="first_step_go").label == "Create a topic"
