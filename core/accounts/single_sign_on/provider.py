"""Talks to the OpenID provider: the authorization code flow with PKCE, by Authlib.

OpenID Connect Core 1.0 (https://openid.net/specs/openid-connect-core-1_0.html) and Discovery 1.0; PKCE is
RFC 7636. Keys are read at each sign-in, so a provider that changes them is followed at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, cast

import requests
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import JWKRegistry, KeySet

from core.accounts.single_sign_on.attempts import Attempt
from core.accounts.single_sign_on.rules import SUBJECT_LIMIT, SingleSignOnFailed, Trouble, error_code
from core.settings import settings
from core.settings_sign_in import is_safe_address

SECONDS = 8.0  # for each call
LEEWAY = 60  # seconds by which clocks may differ
REMEMBERED_FOR = 300.0  # seconds, for what the provider says of itself
# Signed by a key that only the provider has: no "none", and none with a secret that both sides share
ALGORITHMS = {f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)}
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def sign_in_address(attempt: Attempt, redirect_uri: str) -> str:
    """Where the browser goes to sign in at the provider. Raises SingleSignOnFailed."""
    found = metadata()
    with _client(found, redirect_uri) as client:
        address, _state = client.create_authorization_url(
            found["authorization_endpoint"],
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
            **(_showing_whose_it_is(found) if attempt.links is not None else {}),
        )
    return str(address)


def _showing_whose_it_is(found: dict[str, Any]) -> dict[str, str]:
    """Has the provider show its accounts, or ask for the sign-in anew, also where somebody is signed in
    there: it may be the one before at this computer. OpenID Connect Core 1.0, section 3.1.2.1; providers that
    list `prompt_values_supported` may refuse others."""
    listed = found.get("prompt_values_supported")
    known = listed if isinstance(listed, list) else ["select_account"]
    prompt = next((each for each in ("select_account", "login") if each in known), None)
    return {"prompt": prompt} if prompt else {}


def sign_out_address() -> str:
    """Where the browser goes to sign out at the provider, too (OpenID Connect RP-Initiated Logout 1.0); empty
    where the provider has no such page. It is sent neither an ID token, which is not kept, nor an address to
    come back to, so the provider asks before it does anything. Raises SingleSignOnFailed."""
    found = str(metadata().get("end_session_endpoint") or "")
    if not is_safe_address(found.partition("?")[0]):
        return ""
    return str(add_params_to_uri(found, [("client_id", settings().sso_client_id)]))


def claims_of(attempt: Attempt, code: str, redirect_uri: str, *, now: float) -> dict[str, Any]:
    """Trade the code that the browser brought for the provider's ID token, and return what it says once all
    of it is checked. Raises SingleSignOnFailed."""
    found = metadata()
    with _client(found, redirect_uri) as client, _troubles():
        token = client.fetch_token(
            found["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=attempt.verifier,
            redirect_uri=redirect_uri,
            allow_redirects=False,
        )
        if not isinstance(token.get("id_token"), str):
            raise SingleSignOnFailed(Trouble.NOT_TRUSTED, "no ID token")
        return _verified(token, found, attempt.nonce, now)


def metadata() -> dict[str, Any]:
    """What the provider says of itself. Raises SingleSignOnFailed when it cannot be read or used."""
    return _metadata(settings().sso_issuer, int(time.monotonic() // REMEMBERED_FOR))


@lru_cache(maxsize=1)
def _metadata(issuer: str, _period: int) -> dict[str, Any]:
    with _troubles():
        found = _read(get_well_known_url(issuer, external=True))
    if found.get("issuer") != issuer:
        raise SingleSignOnFailed(Trouble.REFUSED, f"it calls itself {found.get('issuer')!r}, not {issuer!r}")
    for name in _ADDRESSES:
        if not is_safe_address(str(found.get(name)).partition("?")[0]):
            raise SingleSignOnFailed(Trouble.REFUSED, f"its {name} is no address of https")
    if not _algorithms(found):
        raise SingleSignOnFailed(Trouble.REFUSED, "it signs with no algorithm that is taken here")
    return found


def forget_metadata() -> None:
    """Read what the provider says of itself anew at the next look."""
    _metadata.cache_clear()


def _algorithms(found: dict[str, Any]) -> list[str]:
    said = found.get("id_token_signing_alg_values_supported")
    return [each for each in said if each in ALGORITHMS] if isinstance(said, list) else []


def _client(found: dict[str, Any], redirect_uri: str) -> Any:
    client_id, secret = settings().sso_client_id, settings().sso_client_secret.get_secret_value()
    return OAuth2Session(
        client_id,
        secret,
        token_endpoint_auth_method=_auth_method(found, client_id + secret),
        scope="openid email profile",
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        default_timeout=SECONDS,
    )


def _auth_method(found: dict[str, Any], credentials: str) -> str:
    """How id and secret are sent. For "basic" RFC 6749, section 2.3.1, wants them encoded as in a form, which
    Authlib leaves out: where that makes a difference they go into the body, if the provider takes them so."""
    known = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    is_plain = re.fullmatch(r"[A-Za-z0-9._~-]*", credentials) is not None
    in_body = "client_secret_basic" not in known or ("client_secret_post" in known and not is_plain)
    return "client_secret_post" if in_body else "client_secret_basic"


def _read(address: str) -> dict[str, Any]:
    answered = requests.get(address, timeout=SECONDS, allow_redirects=False)
    answered.raise_for_status()
    found = answered.json()
    if answered.status_code != 200 or not isinstance(found, dict):
        raise SingleSignOnFailed(Trouble.REFUSED, f"{address} is no JSON document")
    return cast("dict[str, Any]", found)


def _verified(token: dict[str, Any], found: dict[str, Any], nonce: str, now: float) -> dict[str, Any]:
    keys = _usable_keys(_read(found["jwks_uri"]))
    read = jwt.decode(token["id_token"], keys, algorithms=_algorithms(found))
    ours = settings().sso_client_id
    expected = {
        "iss": {"essential": True, "value": found["issuer"]},
        "aud": {"essential": True, "value": ours},
        "sub": {"essential": True},
    }
    about = {"nonce": nonce, "client_id": ours, "access_token": token.get("access_token")}
    claims = CodeIDToken(read.claims, read.header, expected, about)
    claims.validate(now=int(now), leeway=LEEWAY)
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= SUBJECT_LIMIT:
        raise InvalidClaimError("sub")
    return dict(claims)


def _usable_keys(published: dict[str, Any]) -> KeySet:
    """The keys that can be used here; RFC 7517, section 5, wants others passed over."""
    usable = []
    for each in published["keys"]:
        with suppress(JoseError, ValueError, KeyError, TypeError):
            usable.append(JWKRegistry.import_key(each))
    if not usable:
        raise SingleSignOnFailed(Trouble.NOT_TRUSTED, "no key that can be used")
    return KeySet(usable)


@contextmanager
def _troubles() -> Iterator[None]:
    """Says of an error of the network, of the provider or of its token what it means."""
    try:
        yield
    except OAuthError as refused:
        trouble = Trouble.STALE if refused.error == "invalid_grant" else Trouble.REFUSED
        raise SingleSignOnFailed(trouble, f"the provider said {error_code(refused.error)}") from None
    except JoseError as wrong:
        raise SingleSignOnFailed(_trouble_of(wrong), _said(wrong)) from None
    except requests.JSONDecodeError:
        raise SingleSignOnFailed(Trouble.REFUSED, "the provider answered with something else") from None
    except (requests.RequestException, OSError) as lost:  # also certificates that are not there
        answered = getattr(lost, "response", None)
        why = type(lost).__name__ if answered is None else f"HTTP {answered.status_code}"
        raise SingleSignOnFailed(Trouble.UNREACHABLE, why) from None
    except (ValueError, KeyError, TypeError, AttributeError) as odd:  # of a token or key that is none
        raise SingleSignOnFailed(Trouble.NOT_TRUSTED, type(odd).__name__) from None


def _trouble_of(wrong: JoseError) -> Trouble:
    is_early = isinstance(wrong, InvalidClaimError) and getattr(wrong, "claim", "") in ("iat", "nbf")
    return Trouble.CLOCK if is_early or isinstance(wrong, ExpiredTokenError) else Trouble.NOT_TRUSTED


def _said(wrong: JoseError) -> str:
    claim = getattr(wrong, "claim", None)
    return f"{type(wrong).__name__} {error_code(claim)}" if claim else type(wrong).__name__
