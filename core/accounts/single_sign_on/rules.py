"""Rules of single sign-on (pure): what an OpenID provider's claims say of somebody, and why it may fail."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.accounts.rules import NAME_LIMIT, Role, check_operator_name
from core.errors import N_, NotAllowed
from core.text.matching import without_marks
from core.text.normalise import normalise_name

SUBJECT_LIMIT = 255  # OpenID Connect Core 1.0, section 2: "sub"
_EMAIL = "email"
SHOWN_LIMIT = 100
NAMELESS = "user"  # whoever has no name that can be one here


@dataclass(frozen=True)
class Identity:
    """Who somebody is, by what their provider has signed. Issuer and subject together name one person for
    ever; the name is what the panel calls a newcomer."""

    issuer: str
    subject: str
    name: str
    role: Role | None


class Trouble(StrEnum):
    """Why somebody did not get in by single sign-on."""

    DENIED = "denied"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NOT_TRUSTED = "not_trusted"
    CLOCK = "clock"
    NO_ROLE = "no_role"
    DISABLED = "disabled"
    TOO_MANY = "too_many"
    BUSY = "busy"
    LAST_ADMIN = "last_admin"
    PANEL = "panel"


TROUBLES: dict[Trouble, str] = {
    Trouble.DENIED: N_("The sign-in was cancelled, or your account there may not use this panel. Try again."),
    Trouble.STALE: N_("This sign-in took too long, or it was begun in another window. Begin it once more."),
    Trouble.UNREACHABLE: N_(
        "The service that signs you in does not answer. Try again in a few minutes; an admin can "
        "get in with a password in the meantime."
    ),
    Trouble.REFUSED: N_(
        "The service that signs you in refused the panel. Ask an admin: the command `doctor` and the panel's "
        "log say more."
    ),
    Trouble.NOT_TRUSTED: N_(
        "What the service that signs you in answered could not be trusted, so you were not signed in. Try "
        "again; if it happens once more, ask an admin to look into the panel's log."
    ),
    Trouble.CLOCK: N_(
        "The clocks of this panel and of the service that signs you in differ. Ask an admin to turn on time "
        "synchronisation on the server."
    ),
    Trouble.NO_ROLE: N_(
        "You are signed in there, but have no role in this panel. Ask the person who manages your "
        "account at your company to give you one, then try again."
    ),
    Trouble.DISABLED: N_("Your account in this panel has been disabled. Ask an admin if you need it again."),
    Trouble.TOO_MANY: N_(
        "There were too many sign-ins from your network. Please wait 15 minutes and try again; an admin can "
        "get in with a password in the meantime."
    ),
    Trouble.BUSY: N_(
        "Too many people are signing in right now. Wait a minute and try again; an admin can get in with a "
        "password in the meantime."
    ),
    Trouble.LAST_ADMIN: N_(
        "You are the last admin of all fanpages who has a password, which is the way in when single sign-on "
        "fails. Nothing was changed."
    ),
    Trouble.PANEL: N_(
        "Something went wrong on our side, and you were not signed in. Try again; if it happens once more, "
        "ask an admin to look into the panel's log."
    ),
}


class SingleSignOnFailed(NotAllowed):
    """Somebody did not get in. `why` is for the log: it names no person and holds no secret."""

    code = "single_sign_on_failed"

    def __init__(self, trouble: Trouble, why: str = "") -> None:
        super().__init__(TROUBLES[trouble])
        self.trouble, self.why = trouble, why


def error_code(said: object) -> str:
    """An error code of a provider as the log shows it: what a stranger may have written is left out."""
    text = str(said or "")
    return text if re.fullmatch(r"\w{1,40}", text, re.ASCII) else "something else"


def identity_of(
    claims: Mapping[str, Any], roles_claim: str, values_by_role: Mapping[str, Collection[str]]
) -> Identity:
    """Who the claims of a verified ID token are about."""
    values = _values(claims, roles_claim)
    if roles_claim == _EMAIL:
        values_by_role = {role: {each.lower() for each in those} for role, those in values_by_role.items()}
    return Identity(claims["iss"], claims["sub"], _name(claims), _role(values, values_by_role))


def shown_as(claims: Mapping[str, Any]) -> str:
    """By what the owner of an account knows it, as their provider calls it; nobody is recognised by that."""
    said = (claims.get("name"), claims.get(_EMAIL) or claims.get("preferred_username"))
    words = [normalise_name(each)[:SHOWN_LIMIT] for each in said if isinstance(each, str)]
    return ", ".join(filter(None, dict.fromkeys(words))) or str(claims["sub"])


def _role(values: Collection[str], values_by_role: Mapping[str, Collection[str]]) -> Role | None:
    """The highest of the roles that these values give."""
    given = [role for role in Role if not set(values).isdisjoint(values_by_role.get(role, ()))]
    return given[-1] if given else None


def _values(claims: Mapping[str, Any], name: str) -> set[str]:
    """The values of a claim. A name with dots may lead into it, as in Keycloak's realm_access.roles. An
    address counts only when the provider has verified it."""
    if name == _EMAIL:
        email = _verified_email(claims)
        return {email.lower()} if email else set()
    found = claims[name] if name in claims else _inside(claims, name.split("."))
    return {each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)}


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address, if the provider says that it is theirs."""
    email = claims.get(_EMAIL) if claims.get("email_verified") is True else None
    return email if isinstance(email, str) else None


def _inside(claims: object, path: list[str]) -> object:
    for part in path:
        claims = claims.get(part) if isinstance(claims, Mapping) else None
    return claims


def _name(claims: Mapping[str, Any]) -> str:
    """What a newcomer is called: the verified e-mail address, else what the provider calls them. Only an
    address that was verified, letter by letter, has an @ here."""
    email = _verified_email(claims)
    address = email.lower() if email and email.isascii() else ""
    for said in (email, claims.get("preferred_username"), claims.get("name")):
        name = _as_operator_name(said) if isinstance(said, str) else ""
        name = name if name == address else name.replace("@", ".")
        if not check_operator_name(name):
            return name
    return NAMELESS


def _as_operator_name(said: str) -> str:
    plain = re.sub(r"[^a-z0-9._@-]+", ".", without_marks(said))
    return plain.strip("._@-")[: NAME_LIMIT - 8]  # with room for a number


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The wanted name, with a number behind it if somebody is called so."""
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def was_called(name: str, wanted: str) -> bool:
    """Whether somebody of this name wanted that one, with a number behind it or without."""
    return re.fullmatch(rf"{re.escape(wanted)}(-\d+)?", name) is not None
