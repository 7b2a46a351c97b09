"""Finds statements whose inner query goes through a table of the query around it once more.

SQLAlchemy ties an inner query by itself only to the query right around it. One that is nested deeper, and
means the row of a query farther out, goes through the whole table instead and is true of anybody's rows. Such
a query names what it is about with `correlate_except`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import event
from sqlalchemy.engine import Engine

_WORDS = re.compile(r"'[^']*'|[(),]|[^\s(),]+")
_ENDS = {"WHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "FOR", "SET", "RETURNING", "WINDOW"}


@dataclass
class _Query:
    inside: list[_Query] = field(default_factory=list)
    sources: list[list[str]] = field(default_factory=list)  # by comma, each with what is joined to it
    united: list[_Query] = field(default_factory=list)  # those before a UNION
    is_query: bool = False
    in_sources: bool = False
    is_name: bool = False  # whether the next word names a source


@lru_cache(maxsize=10_000)
def shadowed_tables(statement: str) -> frozenset[str]:
    """The names of the tables that an inner query has beside others, and a query around it as well."""
    outermost = _Query()
    open_queries = [outermost]
    for word in _WORDS.findall(statement):
        _take(word, open_queries)
    return frozenset(_found(outermost, frozenset()))


def _take(word: str, open_queries: list[_Query]) -> None:
    query, said = open_queries[-1], word.upper()
    if word == "(":
        if query.is_name:
            query.sources[-1].append("")
        query.is_name = False
        open_queries.append(_Query())
        query.inside.append(open_queries[-1])
    elif word == ")":
        open_queries.pop()
    elif said == "SELECT":
        query.is_query, query.in_sources = True, False
    elif said in ("FROM", "INTO") or (said == "UPDATE" and not query.is_query):  # not FOR UPDATE
        query.in_sources, query.is_name = True, True
        query.sources.append([])
    elif said in ("UNION", "EXCEPT"):
        before = _Query(query.inside, query.sources, is_query=query.is_query)
        query.united.append(before)
        query.inside, query.sources, query.in_sources = [], [], False
    elif said in _ENDS:
        query.in_sources = False
    elif query.in_sources and word == ",":
        query.is_name = True
        query.sources.append([])
    elif query.in_sources and said == "JOIN":
        query.is_name = True
    elif query.in_sources and said == "AS" and query.sources[-1]:
        query.sources[-1].pop()
        query.is_name = True
    elif query.is_name and said not in ("ONLY", "LATERAL"):
        query.sources[-1].append(word)
        query.is_name = False


def _found(query: _Query, around: frozenset[str]) -> set[str]:
    own = {name for joined in query.sources for name in joined if name}
    found = own & around if query.is_query and len(query.sources) > 1 else set()
    for inner in query.inside:
        found = found | _found(inner, around | own)
    for before in query.united:
        found = found | _found(before, around)
    return found


@event.listens_for(Engine, "before_cursor_execute")
def _look(_connection, _cursor, statement, _parameters, _context, _executemany) -> None:  # type: ignore[no-untyped-def]
    shadowed = shadowed_tables(statement)
    assert not shadowed, f"An inner query goes through {sorted(shadowed)} once more: {statement}"
