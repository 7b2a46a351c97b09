"""Nobody outside the two folders of the kinds compares a block's kind: everybody asks the kind itself."""

import ast
from pathlib import Path

import pytest

from core.conversation.blocks.registry import KINDS
from pages.components.block_editor.forms.registry import FORMS

ROOT = Path(__file__).resolve().parents[2]
THEIRS = ("core/conversation/blocks/", "pages/components/block_editor/forms/")
PLATFORM = ("core/messenger/", "core/simulator/")  # know no feature; the Send API has words like ours
FILES = [
    path
    for top in ("core", "pages", "webhook_server")
    for path in sorted((ROOT / top).rglob("*.py"))
    if not str(path.relative_to(ROOT)).startswith(THEIRS + PLATFORM)
]
# These write a block of a certain kind. None of them looks at the kind of a block that somebody else wrote.
WRITERS = {
    "core/broadcasts/draft_rules.py",  # a new broadcast begins as an empty text
    "pages/broadcasts/new/asking_again.py",  # the button "the next one, too?" of a broadcast
    "core/demo/story.py",  # the invented shop
    "core/demo/english.py",  # its messages in English
    "pages/messages/composer/header.py",  # the example that a new message may begin with
}


def compared(source: str) -> list[str]:
    """Where a module compares something called a kind with the name of a kind of block, or looks it up."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if _compares(node)]


def _compares(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):
        return "kind" in ast.unparse(node) and any(map(_names_a_kind, ast.walk(node)))
    if isinstance(node, ast.Match):
        cases = [part for case in node.cases for part in ast.walk(case.pattern)]
        return "kind" in ast.unparse(node.subject) and any(map(_names_a_kind, cases))
    if isinstance(node, ast.Dict):
        return len(node.keys) > 1 and all(key is not None and _names_a_kind(key) for key in node.keys)
    return False


def _names_a_kind(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in KINDS


def imported(source: str) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            modules |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return modules


def test_nobody_compares_the_kind_of_a_block() -> None:
    found = {str(path.relative_to(ROOT)): compared(path.read_text("utf-8")) for path in FILES}
    assert {name: places for name, places in found.items() if places} == {}


def test_the_file_of_a_kind_is_known_to_those_that_write_such_a_block_only() -> None:
    modules = {type(kind).__module__ for kind in KINDS.values()}
    knowing = {str(path.relative_to(ROOT)) for path in FILES if imported(path.read_text("utf-8")) & modules}
    assert knowing == WRITERS


@pytest.mark.parametrize(
    ("source", "is_comparison"),
    [
        ("x = block.kind == 'otnr'", True),
        ("x = block['kind'] in ('buttons', 'quick_replies')", True),
        ("match block.kind:\n    case 'image':\n        pass", True),
        ("words = {'text': 'Text', 'image': 'Image'}", True),
        ("x = kind == 'message'", False),
        ("x = {'kind': 'text', 'text': 'Chào'}", False),
        ("x = {'text': 'Chào'}", False),
        ("x = kind.fits_broadcast", False),
    ],
)
def test_a_comparison_is_seen(source: str, is_comparison: bool) -> None:
    assert bool(compared(source)) is is_comparison


def test_each_kind_has_its_file_and_its_form() -> None:
    assert [type(kind).__module__.rpartition(".")[2] for kind in KINDS.values()] == list(KINDS)
    assert list(FORMS) == list(KINDS)
