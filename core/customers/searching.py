"""Finds customers by parts of their names, with marks or without, and of their PSIDs."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false
from sqlmodel import col

from core.db.tables import Customer
from core.text.identifiers import read_id
from core.text.matching import search_key
from core.text.normalise import is_blank

FEW = 5_000


def are_few(found: int) -> bool:
    """Whether a list of what a search found is best read from the names on and sorted. Of many, walking the
    list in its own order meets a page's worth soon."""
    return found <= FEW


def named(fanpage_id: int, search: str) -> list[ColumnElement[bool]]:
    """The conditions that a customer of the fanpage has every word of the search in name or PSID. They read
    nothing but the index (fanpage, search_text)."""
    made: list[ColumnElement[bool]] = [col(Customer.fanpage_id) == fanpage_id]
    words = search_key(read_id(search) or search).split()
    made += [col(Customer.search_text).contains(word, autoescape=True) for word in words]
    if not words and not is_blank(search):
        made.append(false())  # punctuation alone is in no name and in no PSID
    return made
