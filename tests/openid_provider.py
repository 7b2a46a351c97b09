"""A stand-in OpenID provider: real HTTP on loopback, real RSA keys, codes that are good once, PKCE.

It signs in whoever `person` says, at once. `faults` make it misbehave as a broken or hostile one would.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "notify-once", "a-secret-of-the-provider-9tR"
LAN = {"sub": "lan-1", "email": "lan@shop.vn", "email_verified": True, "groups": ["otn-senders"]}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def a_key(kid: str = "") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid or secrets.token_hex(4), "use": "sig", "alg": "RS256"})


@dataclass
class OpenIdProvider:
    """What the provider knows. Change any of it in the middle of a test."""

    issuer: str
    client_secret: str = CLIENT_SECRET
    person: dict[str, Any] = field(default_factory=lambda: dict(LAN))
    key: RSAKey = field(default_factory=a_key)
    published: RSAKey | None = None  # instead of that one
    odd_keys: list[Any] = field(default_factory=list)  # published beside that one
    metadata: dict[str, Any] = field(default_factory=dict)  # instead of what it says of itself
    claims: dict[str, Any] = field(default_factory=dict)  # instead of what belongs into the token; None: none
    algorithm: str = "RS256"
    faults: set[str] = field(default_factory=set)
    error: str = ""  # with which the browser comes back
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **self.metadata,
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes next."""
        back = {"state": asked["state"]}
        if self.error:
            return f"{asked['redirect_uri']}?{urlencode({**back, 'error': self.error})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({**back, 'code': code})}"

    def token(self, sent: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if "client_secret" in sent:
            method, user, password = "post", sent["client_id"], sent["client_secret"]
        else:
            basic = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":", 1)
            method, user, password = "basic", *map(unquote_plus, basic)
        listed = self.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if f"client_secret_{method}" not in listed or (user, password) != (CLIENT_ID, self.client_secret):
            return 401, {"error": "invalid_client"}
        asked = self.codes.get(sent["code"])
        if "codes are good twice" not in self.faults:
            self.codes.pop(sent["code"], None)
        if asked is None or asked["redirect_uri"] != sent["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        challenge = _base64(hashlib.sha256(sent["code_verifier"].encode()).digest())
        if asked["code_challenge_method"] != "S256" or not hmac.compare_digest(
            challenge, asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(16)
        answer = {"access_token": access, "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}
        self.tokens += [access, answer["id_token"], sent["code"]]
        if "no ID token" in self.faults:
            del answer["id_token"]
        return 200, answer

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {k: v for k, v in {**claims, **self.person, **self.claims}.items() if v is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "RS256":
            return jwt.encode(header, claims, self.key)
        signed = ".".join(_base64(json.dumps(each).encode()) for each in (header, claims))
        if self.algorithm == "none":
            return f"{signed}."
        # The public key as the secret of HMAC: whoever takes any algorithm takes this for signed.
        return f"{signed}.{_base64(hmac.digest(self.key.as_pem(private=False), signed.encode(), 'sha256'))}"


class _Handler(BaseHTTPRequestHandler):
    provider: OpenIdProvider

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        self.provider.asked.append(at.path)
        if at.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(at.query).items()}
            return self._send(302, b"", Location=self.provider.authorize(asked))
        if at.path == "/.well-known/openid-configuration":
            return self._send(200, self.provider.describe())
        if at.path == "/jwks":
            keys = list(self.provider.odd_keys)
            if "no good key" not in self.provider.faults:
                keys.append((self.provider.published or self.provider.key).as_dict(private=False))
            return self._send(200, {"keys": keys})
        return self._send(404, {})

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        if "token endpoint is down" in self.provider.faults:
            return self._send(503, b"down")
        return self._send(*self.provider.token(sent, self.headers.get("Authorization", "")))

    def _send(self, status: int, content: bytes | dict[str, Any], **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Says nothing: what matters is in `asked`."""


@contextmanager
def openid_provider() -> Iterator[OpenIdProvider]:
    """A provider that answers until the block ends."""
    handler: Any = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.provider = OpenIdProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield handler.provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def settings_for(provider: OpenIdProvider, panel_url: str) -> dict[str, str]:
    """The settings of a panel that trusts this provider."""
    return {
        "panel_url": panel_url,
        "sso_issuer": provider.issuer,
        "sso_client_id": CLIENT_ID,
        "sso_client_secret": CLIENT_SECRET,
        "sso_name": "Hoa Mai",
        "sso_admins": "otn-admins",
        "sso_senders": "otn-senders",
        "sso_viewers": "otn-viewers, everybody",
    }
