"""Imports between rooms, and what the drawings of docs/architecture.md say of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from tests.imports import MODULES, own_imports, room_of

Arrows = set[tuple[str, str]]


@cache
def imports() -> frozenset[tuple[str, str]]:
    """(room, room) for every import from one room into another. Whoever imports a module called `rules` is
    not counted, as that is pure."""
    return frozenset(
        (room_of(module), room_of(other))
        for module in MODULES
        for other in own_imports(module)
        if other.split(".")[-1] != "rules" and room_of(other) != room_of(module)
    )


def reached(arrows: Iterable[tuple[str, str]]) -> Arrows:
    """Every pair of rooms of which the first leads to the second along arrows."""
    found = set(arrows)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def reduced(arrows: Iterable[tuple[str, str]]) -> Arrows:
    """The arrows that do not follow from others, of arrows without a circle."""
    arrows = set(arrows)
    far = reached(arrows)
    rooms = {room for arrow in arrows for room in arrow}
    return {(a, b) for a, b in arrows if not any((a, c) in far and (c, b) in far for c in rooms)}


def drawn(mermaid: str) -> Arrows:
    """The arrows of a flowchart, each end by its label, or by its name where it has none."""
    labels = dict(re.findall(r'(\w+)\["([^"]+)"\]', mermaid))
    plain = re.sub(r'\["[^"]+"\]', "", mermaid)
    found = re.findall(r"^\s*(\w+) --> (\w+)\s*$", plain, re.MULTILINE)
    return {(labels.get(a, a), labels.get(b, b)) for a, b in found}
