"""Exports are a right of their own, and the page of roles says what the actions ask for."""

import pytest

from core.accounts import actions, exporting, queries
from core.accounts.capabilities import CAPABILITIES, roles_that_may
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE, Actor, Permission, Role
from core.errors import NotAllowed
from tests.accounts.operations import TRIALS

pytestmark = pytest.mark.usefixtures("quick_hashes")


def test_a_viewer_exports_when_granted_and_it_is_written_down(fresh_database, now):
    mai = actions.add_operator(COMMAND_LINE, "mai", "viewer", "correct-horse-battery", now=now)
    by = Actor(mai.id, "mai", mai.role, signed_in_at=now, address="203.0.113.9")
    with pytest.raises(NotAllowed, match="not export"):
        exporting.record_export(by, "customers.csv", now=now)
    actions.set_exports(COMMAND_LINE, mai.id, allowed=True, now=now)
    exporting.record_export(by, "customers.csv", now=now)
    [said] = queries.list_activity(ActivityFilter(noun="export"))
    assert (said.actor, said.subject, said.address) == ("mai", "customers.csv", "203.0.113.9")
    actions.set_exports(COMMAND_LINE, mai.id, allowed=False, now=now)
    with pytest.raises(NotAllowed):
        exporting.record_export(by, "customers.csv", now=now)


def test_the_page_of_roles_says_what_the_actions_ask_for():
    for words, permission, names in CAPABILITIES:
        assert {name: TRIALS[f"core.{name}"].needs for name in names} == dict.fromkeys(names, permission), (
            words
        )


def test_every_permission_is_on_the_page_of_roles():
    assert {permission for _words, permission, _names in CAPABILITIES} == set(Permission)
    assert roles_that_may(Permission.SEND) == [Role.SENDER, Role.ADMIN]
