"""Codes of 30 seconds (TOTP, RFC 6238): which step a code belongs to, and taking one."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest

import pyotp

from core.db.tables import Operator
from core.encryption import decrypt

_STEP_SECONDS = 30
_APART = (-1, 0, 1)  # steps by which the clock of a telephone may be off


def step_of(secret: str, code: str, last: int | None, now: datetime) -> int | None:
    """The step that a code belongs to; None for a wrong code, and for one that was taken before."""
    typed = code.replace(" ", "").strip()
    present = int(now.timestamp()) // _STEP_SECONDS
    for step in (present + apart for apart in _APART):
        made = pyotp.TOTP(secret).generate_otp(step)
        if compare_digest(made.encode(), typed.encode("utf-8", "surrogatepass")):
            return step if last is None or step > last else None
    return None


def take_code(row: Operator, code: str, now: datetime) -> bool:
    """Whether a code fits the second factor of an operator, whose row the caller has locked. Once."""
    step = step_of(decrypt(row.totp_sealed or ""), code, row.totp_step, now)
    if step is not None:
        row.totp_step = step
    return step is not None
