"""Imports between rooms, and what the drawings of docs/architecture.md say of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
Arrows = set[tuple[str, str]]


def files() -> list[Path]:
    """Every module of ours, save the migrations, which know none of the others."""
    found = [HOME / "app.py"]
    for folder in ("core", "pages", "webhook_server"):
        found += [path for path in (HOME / folder).rglob("*.py") if "versions" not in path.parts]
    return sorted(found)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(HOME).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """The folder that a module belongs to, such as core/sending or pages/topics. A module that lies directly
    in core is a room of its own."""
    parts = module.split(".")
    return "/".join(parts[:2]) if parts[0] in ("core", "pages") else parts[0]


@cache
def imports() -> frozenset[tuple[str, str]]:
    """(room, room) for every import from one room into another. Whoever imports a module called `rules` is
    not counted, as that is pure."""
    known = {name_of(path) for path in files()}
    return frozenset(
        (room_of(name_of(path)), room_of(module))
        for path in files()
        for module in _imported(path, known)
        if module.split(".")[-1] != "rules" and room_of(module) != room_of(name_of(path))
    )


def _imported(path: Path, known: set[str]) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (each for each in named if each in known)
            if node.module in known and not all(each in known for each in named):
                yield node.module


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
