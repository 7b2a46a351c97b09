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


def choose_wording(content: Mapping[str, Any], customer_id: int) -> Chosen:
    """The wording for a customer: always the same for one pair of wordings, and each for half of them.

    Another pair is another test, whose halves have nothing to do with those of the one before.
    """
    title, other = str(content.get("title") or ""), str(content.get(OTHER_TITLE) or "")
    if not other or other == title:
        return Chosen(content)
    test = _digest(f"{title}\0{other}").hex()[:16]
    if _digest(f"{test}\0{customer_id}")[0] & 1:
        return Chosen({**content, "title": other}, test, "b")
    return Chosen(content, test, "a")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
