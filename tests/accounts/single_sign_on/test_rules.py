"""What claims say: the role by any shape of claim, and a name that nobody else has."""

import pytest

from core.accounts.rules import NAME_LIMIT, Role, check_operator_name
from core.accounts.single_sign_on.rules import TROUBLES, Trouble, free_name, identity_of

BY_ROLE = {"admin": {"bosses"}, "sender": {"cn=shop,ou=vn", "staff"}, "viewer": {"all"}}
PERSON = {"iss": "https://id.shop.vn", "sub": "1"}


@pytest.mark.parametrize(
    ("claims", "claim", "role"),
    [
        ({"groups": ["all", "bosses", "x"]}, "groups", Role.ADMIN),
        ({"groups": ["all", "staff"]}, "groups", Role.SENDER),
        ({"groups": "all"}, "groups", Role.VIEWER),
        ({"groups": ["cn=shop,ou=vn"]}, "groups", Role.SENDER),
        ({"groups": ["Bosses"]}, "groups", None),
        ({"groups": "bosses,all"}, "groups", None),
        ({"roles": ["bosses"]}, "groups", None),
        ({"realm_access": {"roles": ["staff"]}}, "realm_access.roles", Role.SENDER),
        ({"realm_access": ["staff"]}, "realm_access.roles", None),
        ({"https://shop.vn/roles": ["staff"]}, "https://shop.vn/roles", Role.SENDER),
        ({"a.b": ["staff"], "a": {"b": ["bosses"]}}, "a.b", Role.SENDER),
        ({"email": "ALL", "email_verified": True}, "email", Role.VIEWER),
        ({"email": "all"}, "email", None),
    ],
)
def test_the_highest_role_counts_that_the_claim_gives(claims, claim, role):
    assert identity_of({**PERSON, **claims}, claim, BY_ROLE).role == role


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "Lan.Shop@Shop.vn", "email_verified": True}, "lan.shop@shop.vn"),
        ({"email": "lan+a@shop.vn", "email_verified": True}, "lan.a.shop.vn"),
        ({"email": "lán@shop.vn", "email_verified": True}, "lan.shop.vn"),
        ({"email": "\u212aim@shop.vn", "email_verified": True}, "kim.shop.vn"),  # the sign of kelvin
        ({"email": "x" * 47 + "@shop.vn.evil.example", "email_verified": True}, "x" * 47 + ".shop.vn."),
        ({"email": "lan@shop.vn", "preferred_username": "chi@shop.vn"}, "chi.shop.vn"),
        ({"email": "lan@shop.vn", "email_verified": "true", "name": "Chi＠Shop.vn"}, "chi.shop.vn"),
        ({"email": "lan@shop.vn", "preferred_username": "lan"}, "lan"),
        ({"name": "Đỗ Thị Lan"}, "do.thi.lan"),
        ({"preferred_username": "system", "name": "A B"}, "a.b"),
        ({"preferred_username": "李", "name": 7}, "user"),
        ({}, "user"),
    ],
)
def test_a_newcomer_is_called_by_what_is_known(claims, name):
    assert identity_of({**PERSON, **claims}, "groups", BY_ROLE).name == name


@pytest.mark.parametrize("said", ["x" * 300, "../../" * 40, "<b>lan</b>", "lan\x00\n@", " . ", "@"])
def test_whatever_the_provider_says_the_name_is_one_of_ours(said):
    name = identity_of({**PERSON, "preferred_username": said}, "groups", BY_ROLE).name
    assert not check_operator_name(name)
    assert len(free_name(name, {name, f"{name}-2"})) <= NAME_LIMIT
    assert not check_operator_name(free_name(name, {name}))


def test_every_trouble_has_its_sentence():
    assert set(TROUBLES) == set(Trouble)
