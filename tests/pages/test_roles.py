"""What roles may do, where it shows: their page, and who is offered an export."""

from core.accounts.actions import add_operator
from core.accounts.rules import COMMAND_LINE
from tests.pages.conftest import an_operator, opened


def test_everybody_reads_what_each_role_may_do(arrange):
    at = opened(an_operator(arrange, "viewer", "lan"), page="roles")
    assert at.title[0].value == "Roles"
    assert not at.exception


def test_an_export_is_offered_to_who_may(arrange):
    def offered(at) -> bool:
        return any("activity_export" in (button.key or "") for button in at.get("download_button"))

    add_operator(COMMAND_LINE, "hue", "viewer", "correct-horse-battery", now=arrange.now)  # a line to export
    assert offered(opened(an_operator(arrange, "editor", "chi"), page="activity"))
    assert not offered(opened(an_operator(arrange, "viewer", "lan"), page="activity"))
    assert offered(opened(an_operator(arrange, "viewer", "mai", may_export=True), page="activity"))
