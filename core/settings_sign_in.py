"""The settings of signing in to the panel: its address, passwords, the second factor, and single sign-on."""

from __future__ import annotations

import csv
import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

ROLES = ("admin", "sender", "editor", "viewer")  # as core.accounts.rules.Role, which settings do not import
_SSO = ("client_id", "client_secret", "admins", "senders", "editors", "viewers")
# Claims of OpenID Connect Core, section 5.1, that people choose themselves at many providers
_SELF_CHOSEN = {"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"}


class SignInSettings(BaseSettings):
    """How people reach the panel, and who says who they are."""

    panel_url: str = Field("", description="The panel's address for people, behind a proxy.")
    require_second_factor: Literal["nobody", "admins", "everybody"] = Field(
        "nobody", description="Who of those with a password must have a second factor to sign in."
    )
    password_sign_in: Literal["everybody", "admins"] = Field(
        "everybody", description="Who may sign in with a password where there is single sign-on."
    )
    sso_issuer: str = Field("", description="The OpenID provider of single sign-on, as it names itself.")
    sso_client_id: str = Field("", description="The name under which the provider knows the panel.")
    sso_client_secret: SecretStr = Field(SecretStr(""), description="The secret that the provider gave it.")
    sso_name: str = Field("", description="What the button names, such as Google or Microsoft.")
    sso_roles_claim: str = Field("groups", description="The claim of the ID token that says who may what.")
    sso_admins: str = Field("", description="Values of that claim that make an admin, with commas.")
    sso_senders: str = Field("", description="Values that make a sender.")
    sso_editors: str = Field("", description="Values that make an editor.")
    sso_viewers: str = Field("", description="Values that make a viewer.")
    sso_fanpages: Literal["none", "all"] = Field(
        "none", description="Which fanpages a newcomer of single sign-on has: none until an admin gives some."
    )

    @property
    def has_single_sign_on(self) -> bool:
        """Whether people may sign in by way of an OpenID provider."""
        return bool(self.sso_issuer)

    @property
    def sso_values(self) -> dict[str, frozenset[str]]:
        """By role, the values of the claim that give it. A value with a comma stands in quotation marks."""
        return {role: _listed(getattr(self, f"sso_{role}s")) for role in ROLES}

    @field_validator("sso_issuer", "sso_client_id", "sso_name", "sso_roles_claim", mode="after")
    @classmethod
    def _trimmed(cls, value: str) -> str:
        return value.strip()

    @field_validator("sso_client_secret", mode="after")
    @classmethod
    def _trimmed_secret(cls, value: SecretStr) -> SecretStr:
        return SecretStr(value.get_secret_value().strip())

    @field_validator("sso_issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        issuer = value.removesuffix("/.well-known/openid-configuration")
        if issuer and not is_safe_address(issuer):
            raise ValueError(
                "OTN_SSO_ISSUER: the address of the OpenID provider, as it names itself; "
                "write it like https://accounts.google.com"
            )
        return issuer

    @field_validator("sso_roles_claim")
    @classmethod
    def _said_by_the_provider(cls, value: str) -> str:
        if not value or value in _SELF_CHOSEN:
            raise ValueError(
                "OTN_SSO_ROLES_CLAIM: a claim that admins of the provider decide about, such as groups or "
                "roles; people choose their names themselves"
            )
        return value

    @model_validator(mode="after")
    def _single_sign_on_is_whole(self) -> SignInSettings:
        given = [f"OTN_SSO_{name.upper()}" for name in _SSO if _text(getattr(self, f"sso_{name}"))]
        if not self.has_single_sign_on:
            if given:
                raise ValueError(f"{given[0]} is for single sign-on: set OTN_SSO_ISSUER too, or take it out")
            if self.password_sign_in != "everybody":
                raise ValueError(
                    "OTN_PASSWORD_SIGN_IN: without OTN_SSO_ISSUER a password is the only way to sign in"
                )
            return self
        missing = [name for name in ("OTN_SSO_CLIENT_ID", "OTN_SSO_CLIENT_SECRET") if name not in given]
        missing += [] if self.panel_url.strip() else ["OTN_PANEL_URL"]
        if missing:
            raise ValueError(f"OTN_SSO_ISSUER needs {' and '.join(missing)} as well")
        if not any(self.sso_values.values()):
            raise ValueError(
                "OTN_SSO_ISSUER: nobody would have a role. Name values of the claim "
                f"{self.sso_roles_claim} in OTN_SSO_ADMINS, _SENDERS, _EDITORS or _VIEWERS"
            )
        if not is_safe_address(self.panel_url.strip()):
            raise ValueError(
                "OTN_PANEL_URL: people come back to it from single sign-on, so it begins with https:// "
                "(http:// on this machine only); write it like https://otn.example"
            )
        return self


def is_safe_address(address: object) -> bool:
    """Whether an address is one of https, or of this machine."""
    safe = r"https://[^/?#\s@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
    return isinstance(address, str) and re.fullmatch(rf"({safe})(/[^?#\s]*)?", address) is not None


def _listed(written: str) -> frozenset[str]:
    rows = csv.reader([written.replace("\n", " ")], skipinitialspace=True)
    return frozenset(each.strip() for row in rows for each in row if each.strip())


def _text(value: str | SecretStr) -> str:
    return (value.get_secret_value() if isinstance(value, SecretStr) else value).strip()
