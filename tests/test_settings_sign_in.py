"""Settings of single sign-on: what is missing, unsafe or has no effect is said at the start."""

import pytest
from pydantic import ValidationError

from core.settings import describe_refusal, settings

WHOLE = {
    "sso_issuer": "https://id.shop.vn/realms/shop",
    "sso_client_id": "notify-once",
    "sso_client_secret": "hunter2",
    "panel_url": "https://otn.shop.vn",
    "sso_admins": 'bosses, "cn=shop,ou=vn" , ',
}


def test_it_is_off_unless_a_provider_is_named(restart):
    restart(sso_name="Google")
    assert not settings().has_single_sign_on


def test_values_are_parted_by_commas_unless_quoted(restart):
    restart(**WHOLE, sso_viewers="khách, everybody")
    assert settings().sso_values["admin"] == {"bosses", "cn=shop,ou=vn"}
    assert settings().sso_values["viewer"] == {"khách", "everybody"}
    assert settings().sso_values["editor"] == frozenset()


def test_the_address_of_what_a_provider_says_of_itself_names_it_as_well(restart):
    restart(**{**WHOLE, "sso_issuer": " https://id.shop.vn/.well-known/openid-configuration "})
    assert settings().sso_issuer == "https://id.shop.vn"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sso_issuer": ""}, "OTN_SSO_CLIENT_ID is for single sign-on: set OTN_SSO_ISSUER too"),
        ({"sso_client_id": " "}, "OTN_SSO_ISSUER needs OTN_SSO_CLIENT_ID as well"),
        ({"sso_client_secret": "", "panel_url": ""}, "needs OTN_SSO_CLIENT_SECRET and OTN_PANEL_URL as well"),
        ({"sso_admins": " , "}, "OTN_SSO_ISSUER: nobody would have a role"),
        ({"sso_issuer": "http://id.shop.vn"}, "OTN_SSO_ISSUER: the address of the OpenID provider"),
        ({"sso_issuer": "id.shop.vn"}, "OTN_SSO_ISSUER: the address of the OpenID provider"),
        ({"sso_issuer": "https://me:hunter2@id.shop.vn"}, "OTN_SSO_ISSUER: the address"),
        ({"panel_url": "http://otn.shop.vn"}, "OTN_PANEL_URL: people come back to it"),
        ({"sso_roles_claim": "preferred_username"}, "OTN_SSO_ROLES_CLAIM: a claim that admins"),
        ({"sso_roles_claim": " "}, "OTN_SSO_ROLES_CLAIM: a claim that admins"),
        ({"password_sign_in": "nobody"}, "OTN_PASSWORD_SIGN_IN: Input should be 'everybody' or 'admins'"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(restart, given, said):
    restart(**{**WHOLE, **given})
    with pytest.raises(ValidationError) as refused:
        settings()
    text = describe_refusal(refused.value)
    assert text.startswith("OTN_")
    assert said in text
    assert "hunter2" not in f"{text} {refused.value}"


def test_passwords_are_for_everybody_where_there_is_no_other_way(restart):
    restart(password_sign_in="admins")
    with pytest.raises(ValidationError, match="OTN_PASSWORD_SIGN_IN"):
        settings()
