"""Tags group customers: put on by hand, taken off, deleted, and gone with whoever is forgotten."""

import pytest
from sqlmodel import select

from core.accounts.rules import Actor, Role
from core.customers import tag_actions
from core.customers.tags import has_tag, list_tags
from core.db.engine import reading
from core.db.tables import Activity, Customer, CustomerTag
from core.errors import Invalid, NotAllowed, NotFound
from core.forgetting.actions import forget

EDITOR = Actor(None, "editor.one", Role.EDITOR)
ADMIN = Actor(None, "admin.one", Role.ADMIN)


@pytest.fixture
def lan(arrange, fanpage):
    return arrange.customer(fanpage, "Lan", psid="25880012345")


def having(tag_id):
    with reading() as db:
        return list(db.exec(select(Customer.id).where(has_tag(tag_id))))


def test_a_tag_is_made_once_however_it_is_written(arrange, fanpage, lan, now):
    minh = arrange.customer(fanpage, "Minh")
    tag_actions.add_tag(EDITOR, lan, " Khách  VIP", now=now)
    tag_actions.add_tag(EDITOR, minh, "khách vip", now=now)
    tag_actions.add_tag(EDITOR, minh, "KHÁCH VIP", now=now)
    (tag,) = list_tags(fanpage)
    assert (tag.name, tag.customers) == ("Khách VIP", 2)
    assert having(tag.id) == [lan, minh]


def test_a_tag_of_one_fanpage_is_not_known_to_another(arrange, fanpage, lan, now):
    tag_actions.add_tag(EDITOR, lan, "VIP", now=now)
    assert list_tags(arrange.fanpage("Khác")) == []


def test_a_tag_is_taken_off_one_customer_and_deleted_from_all(arrange, fanpage, lan, now):
    minh = arrange.customer(fanpage, "Minh")
    for each in (lan, minh):
        tag_actions.add_tag(EDITOR, each, "VIP", now=now)
    tag_actions.remove_tag(EDITOR, lan, "vip", now=now)
    (tag,) = list_tags(fanpage)
    assert having(tag.id) == [minh]
    assert tag_actions.delete_tag(EDITOR, tag.id, now=now) == 1
    assert list_tags(fanpage) == []
    with pytest.raises(NotFound):
        tag_actions.delete_tag(EDITOR, tag.id, now=now)


@pytest.mark.parametrize("name", ["", " \u200b ", "x" * 41])
def test_a_tag_needs_a_name_that_fits(lan, now, name):
    with pytest.raises(Invalid):
        tag_actions.add_tag(EDITOR, lan, name, now=now)


def test_a_viewer_changes_no_tags(lan, now):
    with pytest.raises(NotAllowed):
        tag_actions.add_tag(Actor(None, "viewer.one", Role.VIEWER), lan, "VIP", now=now)


def test_whoever_is_forgotten_has_no_tag_any_more(fanpage, lan, now):
    tag_actions.add_tag(EDITOR, lan, "VIP", now=now)
    forget(ADMIN, fanpage, "25880012345", now=now)
    with reading() as db:
        assert db.exec(select(CustomerTag)).all() == []
        tagged = db.exec(select(Activity).where(Activity.verb == "customer.tag")).one()
    assert (tagged.subject, tagged.subject_id) == ("VIP", lan)  # the tag, and a number that leads nowhere now
    assert list_tags(fanpage)[0].customers == 0
