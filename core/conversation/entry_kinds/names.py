"""The names of the kinds of entry points, by which the database and the files of messages know them."""

from __future__ import annotations

from enum import StrEnum


class EntryKind(StrEnum):
    """The name of one kind of entry point. All else that it is: the file of that kind beside this one."""

    GET_STARTED = "get_started"
    KEYWORD = "keyword"
    REF = "ref"
    COMMENT = "comment"
    BUTTON = "button"
    MENU = "menu"
    ICE_BREAKER = "ice_breaker"
    AGAIN = "again"
    RULE = "rule"
