"""No test touches a private name of what it tests, so that the inside of a module can change freely."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.imports import ROOT

FILES = sorted((ROOT / "tests").rglob("*.py"))
# The PostgreSQL wheel has no public way to stop its server: (file, name).
OF_LIBRARIES = {("databases.py", "_cleanup")}
PATCHING = ("setattr", "delattr", "setitem", "patch")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def touched(path: Path) -> Iterator[str]:
    """The private names of others that a file touches: by an attribute, an import or a patch."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Attribute(attr=name) if is_private(name) and not is_own(node.value):
                yield f"{node.lineno}: {ast.unparse(node)}"
            case ast.ImportFrom(module=str(module)):
                yield from (f"{node.lineno}: {module}.{a.name}" for a in node.names if is_private(a.name))
            case ast.Call(func=ast.Attribute(attr=patching)) if patching in PATCHING:
                yield from (f"{node.lineno}: {name}" for name in patched(node) if is_private(name))


def is_own(value: ast.expr) -> bool:
    """Whether an attribute is one of the class that is being defined in the test itself."""
    if isinstance(value, ast.Call):
        value = value.func
    return isinstance(value, ast.Name) and value.id in ("self", "cls", "super")


def patched(call: ast.Call) -> Iterator[str]:
    """The last part of each name that is given to a patching function: `"core.clock.utc_now"`, `"_lock"`."""
    for given in call.args[:2]:
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield given.value.rpartition(".")[2]


def room_of(path: Path) -> str:
    within = path.relative_to(ROOT / "tests")
    return within.parts[0] if len(within.parts) > 1 else "the top level"


@pytest.mark.parametrize("room", sorted({room_of(path) for path in FILES}))
def test_no_test_touches_a_private_name(room: str) -> None:
    assert found_in(room) == []


def found_in(room: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{said}"
        for path in FILES
        if room_of(path) == room
        for said in touched(path)
        if (path.name, said.rpartition(".")[2]) not in OF_LIBRARIES
    ]
