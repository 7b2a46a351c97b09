"""HMACs of the platform: webhook signatures over the raw bytes, and the proof that a call is ours."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Hub-Signature-256"


def sign(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256` for exactly these bytes."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def is_valid(secret: str, body: bytes, header: str | None) -> bool:
    """Compared in constant time; without a secret nothing is valid (an empty key proves nothing)."""
    if not secret or header is None:
        return False
    return hmac.compare_digest(sign(secret, body).encode(), header.encode("utf-8", "replace"))


def appsecret_proof(secret: str, token: str) -> str:
    message = token.encode("utf-8", "surrogatepass")
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
