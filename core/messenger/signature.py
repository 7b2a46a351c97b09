"""The HMACs that the platform uses: signatures of webhooks, and the proof that a call comes from our app."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Hub-Signature-256"


def sign(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256` for exactly these bytes."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def is_valid(secret: str, body: bytes, header: str | None) -> bool:
    """Whether a signature fits these bytes. Without a secret nothing is valid. The comparison takes constant
    time."""
    if not secret or header is None:
        return False
    return hmac.compare_digest(sign(secret, body).encode(), header.encode("utf-8", "replace"))


def appsecret_proof(secret: str, token: str) -> str:
    """The `appsecret_proof` for an access token.

    https://developers.facebook.com/docs/graph-api/guides/secure-requests
    """
    message = token.encode("utf-8", "surrogatepass")
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
