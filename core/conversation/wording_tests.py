"""Which of two wordings of a request a customer gets (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OTHER_TITLE = "title_b"  # the field of the second wording; without it nothing is tested


@dataclass(frozen=True)
class Chosen:
    """The block's content with the wording that this customer gets; of a test its name and which half."""

    content: Mapping[str, Any]
    test: str = ""
    variant: str = ""


def has_two_wordings(content: Mapping[str, Any]) -> bool:
    """Whether half of the customers read another title."""
    title, other = _titles(content)
    return bool(other) and other != title


def read_by(variant: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content as the half `variant` of the customers reads it, "a" or "b"."""
    is_other = variant == "b" and has_two_wordings(content)
    return {**content, "title": content[OTHER_TITLE]} if is_other else content


def choose_wording(content: Mapping[str, Any], customer_id: int) -> Chosen:
    """The wording for a customer: always the same for one pair of wordings, and each for half of them.

    Another pair is another test, whose halves have nothing to do with those of the one before.
    """
    if not has_two_wordings(content):
        return Chosen(content)
    test = _digest("\0".join(_titles(content))).hex()[:16]
    variant = "b" if _digest(f"{test}\0{customer_id}")[0] & 1 else "a"
    return Chosen(read_by(variant, content), test, variant)


def _titles(content: Mapping[str, Any]) -> tuple[str, str]:
    return str(content.get("title") or ""), str(content.get(OTHER_TITLE) or "")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
