"""An operator of some fanpages sees nothing of another, whatever address they write."""

import pytest

from core.accounts import actions, queries
from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.conversation import draft_actions
from core.conversation.drafts import MessageDraft
from core.db.tables import Broadcast
from pages.components.page_registry import ENTRIES
from tests.pages.conftest import an_operator, opened
from tests.pages.shown import all_words

SECRET = "Quán Sen"


@pytest.fixture
def two(arrange) -> tuple[int, int]:
    arrange.now = utc_now()
    return arrange.fanpage("Tiệm Mai"), arrange.fanpage(SECRET)


def broadcast(arrange, fanpage_id: int, state: str) -> int:
    values = {"content": {"kind": "text", "text": SECRET}, "name": SECRET, "launched_by": "hoa"}
    times = {"created_at": arrange.now, "updated_at": arrange.now}
    topic_id = arrange.topic(fanpage_id, f"{SECRET} {state}")
    return arrange.save(Broadcast(fanpage_id=fanpage_id, topic_id=topic_id, state=state, **values, **times))


THINGS = {
    "topics": lambda a, f: a.topic(f, SECRET),
    "customer": lambda a, f: a.customer(f, SECRET),
    "message": lambda a, f: (
        draft_actions.create_draft(COMMAND_LINE, f, MessageDraft(SECRET, [], []), now=utc_now()).id
    ),
    "broadcast": lambda a, f: broadcast(a, f, "finished"),
    "new_broadcast": lambda a, f: broadcast(a, f, "draft"),
}


@pytest.mark.parametrize("page", THINGS)
def test_a_deep_link_to_another_fanpage_says_that_it_is_not_theirs(arrange, two, page):
    about = THINGS[page](arrange, two[1])
    at = opened(an_operator(arrange, "admin", "hoa", fanpage_ids=[two[0]]), page=page, id=about)
    assert not at.exception
    assert "a fanpage you don't manage" in at.warning[0].value
    assert SECRET not in all_words(at)
    assert at.session_state["fanpage_id"] == two[0]


@pytest.mark.parametrize("page", [entry.url_path for entry in ENTRIES])
def test_no_page_names_another_fanpage(arrange, two, page):
    for state in ("scheduled", "sending", "finished", "draft"):
        broadcast(arrange, two[1], state)
    operator_id = an_operator(arrange, "admin", "hoa", fanpage_ids=[two[0]])
    at = opened(operator_id, page=page, fanpage_id=two[1])  # as a session of before, or a wish, would have it
    assert not at.exception
    assert SECRET not in all_words(at)


def test_who_looks_after_all_fanpages_is_shown_the_other_one(arrange, two):
    """So that the tests above look for what there is to see."""
    broadcast(arrange, two[1], "scheduled")
    at = opened(an_operator(arrange, "admin", "chi"), page="broadcasts", fanpage_id=two[1])
    assert SECRET in all_words(at)


def test_users_and_the_stop_of_all_sending_are_for_who_looks_after_all(arrange, two):
    at = opened(an_operator(arrange, "admin", "hoa", fanpage_ids=[two[0]]), page="operators")
    assert "all fanpages" in at.warning[0].value
    keys = [button.key for button in at.button]
    assert "operator_add" not in keys
    at = opened(an_operator(arrange, "admin", "mai", fanpage_ids=[two[0]]), page="setup")
    keys = [button.key for button in at.button]
    assert not {"fanpage_add", "stop_all_open"} & set(keys)


def test_a_user_is_limited_to_some_fanpages_and_given_all_again(panel, arrange, two):
    hoa = an_operator(arrange, "editor", "hoa")
    at = panel("operators")
    at.menu_button(key=f"operator_{hoa}_more").click("operator_fanpages").run()
    at.radio(key="operator_of_kind").set_value("some").run()
    at.button(key="operator_fanpages_submit").click().run()
    assert "at least one" in at.error[0].value
    at.multiselect(key="operator_of_fanpages").set_value([two[1]]).run()
    at.button(key="operator_fanpages_submit").click().run()
    assert queries.get_operator_named("hoa").fanpage_ids == {two[1]}
    assert not at.radio
    at.menu_button(key=f"operator_{hoa}_more").click("operator_fanpages").run()
    at.radio(key="operator_of_kind").set_value("all").run()
    at.button(key="operator_fanpages_submit").click().run()
    assert queries.get_operator_named("hoa").fanpage_ids is None


def test_a_new_user_is_limited_from_the_start(panel, two):
    at = panel("operators")
    at.button(key="operator_add").click().run()
    at.text_input(key="operator_name").input("vy")
    at.radio(key="operator_new_kind").set_value("some").run()
    at.multiselect(key="operator_new_fanpages").set_value([two[0]])
    at.button(key="operator_new_submit").click().run()
    assert queries.get_operator_named("vy").fanpage_ids == {two[0]}


def test_a_limit_that_is_set_meanwhile_counts_at_the_next_click(arrange, two):
    hoa = an_operator(arrange, "editor", "hoa")
    at = opened(hoa, page="broadcasts", fanpage_id=two[1])
    actions.limit_to_fanpages(COMMAND_LINE, hoa, [two[0]], now=utc_now())
    at.run()
    assert at.text_input(key="sign_in_name")
    assert not at.exception
