"""Exports are a right of their own, as the page of roles says."""

import pytest

from core.accounts import actions, exporting, queries
from core.accounts.capabilities import CAPABILITIES, Answer
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE, Actor, Permission, Role
from core.errors import NotAllowed

pytestmark = pytest.mark.usefixtures("quick_hashes")


def test_a_viewer_exports_when_granted_and_it_is_written_down(fresh_database, now):
    mai = actions.add_operator(COMMAND_LINE, "mai", "viewer", "correct-horse-battery", now=now)
    by = Actor(mai.id, "mai", mai.role, signed_in_at=now, address="203.0.113.9")
    with pytest.raises(NotAllowed, match="not export"):
        exporting.record_export(by, "customers.csv", None, now=now)
    actions.set_exports(COMMAND_LINE, mai.id, allowed=True, now=now)
    exporting.record_export(by, "customers.csv", None, now=now)
    [said] = queries.list_activity(ActivityFilter(noun="export"))
    assert (said.actor, said.subject, said.address) == ("mai", "customers.csv", "203.0.113.9")
    actions.set_exports(COMMAND_LINE, mai.id, allowed=False, now=now)
    with pytest.raises(NotAllowed):
        exporting.record_export(by, "customers.csv", None, now=now)


def test_an_export_is_for_editors_and_for_a_viewer_if_granted():
    [export] = [each for each in CAPABILITIES if "accounts.exporting.record_export" in each.actions]
    assert [export.answer(role) for role in Role] == [Answer.IF_GRANTED, Answer.YES, Answer.YES, Answer.YES]


def test_every_permission_is_on_the_page_of_roles():
    assert {each.permission for each in CAPABILITIES} == set(Permission)
    [send] = [each for each in CAPABILITIES if "broadcasts.actions.launch" in each.actions]
    assert [send.answer(role) for role in Role] == [Answer.NO, Answer.NO, Answer.YES, Answer.YES]
