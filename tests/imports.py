"""What imports what: every module of ours, and the modules that each of them names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for top in ("app.py", "core", "pages", "webhook_server")
    for path in ([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))
    if "versions" not in path.parts  # the migrations, which know none of the others
)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in FILES}


def room_of(module: str) -> str:
    """The folder that a module belongs to, such as core/sending or pages/topics. A module that lies directly
    in core is a room of its own."""
    parts = module.split(".")
    return "/".join(parts[:2]) if parts[0] in ("core", "pages") else parts[0]


def inside(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@cache
def syntax(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module a file imports, also inside functions; `from a import b` counts as a and as a.b."""
    found = set()
    for node in syntax(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: write imports in full"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def importers(*libraries: str) -> set[str]:
    """Who imports one of these libraries."""
    return {name_of(path) for path in FILES if any(i.split(".")[0] in libraries for i in imports(path))}


@cache
def own_imports(module: str) -> frozenset[str]:
    """The modules of ours that a module imports; a package counts where something else of it is meant."""
    found = set()
    for node in syntax(MODULES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= named if named <= MODULES.keys() else named | {node.module or ""}
    return frozenset(found & MODULES.keys())


def reached(module: str) -> set[str]:
    """The module and every one of ours that it imports, however far away."""
    found, waiting = set[str](), [module]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += own_imports(each)
    return found
