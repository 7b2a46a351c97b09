"""Files, functions and links that the documents name exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
IN_FORCE = re.compile(r"^- Status: accepted", re.MULTILINE)  # what replaced decisions name may be gone
DOCUMENTS = sorted(
    str(path.relative_to(HOME))
    for path in [*HOME.glob("*.md"), *HOME.glob("docs/*.md"), *HOME.glob("docs/decisions/*.md")]
    if "decisions/0" not in str(path) or IN_FORCE.search(path.read_text("utf-8"))
)
PATH = r"(?:app\.py|(?:core|pages|webhook_server|tests|docs|static)/[\w./<>*-]*)"
# `name` in `path/of/a/module.py`
NAMED = re.compile(rf"`([A-Za-z_][\w.]*)(?:\(\))?` in `({PATH}\.py)`")
# - `path/of/a/module.py`: … `CONSTANT`
IN_A_RECIPE = re.compile(rf"^- `({PATH}\.py)`:.*?`(_?[A-Z][A-Z_]+)`", re.MULTILINE)
PARTICIPANT = re.compile(rf"^\s*participant (\w+) as ({PATH})$", re.MULTILINE)
MESSAGE = re.compile(r"^\s*\w+-?->>(\w+): (.*)$", re.MULTILINE)


def text_of(document: str) -> str:
    return (HOME / document).read_text("utf-8")


def exists(path: str) -> bool:
    """A path with places to fill in, such as pages/locales/<language>, exists when something fits."""
    return any(HOME.glob(re.sub(r"<\w+>", "*", path).rstrip("/")))


@cache
def defined_in(path: str) -> frozenset[str]:
    """The functions, classes and constants of a module, and the methods of its classes as Class.method."""
    found = set()
    for node in ast.parse(text_of(path)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id for each in targets if isinstance(each, ast.Name)}
    return frozenset(found)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_that_a_document_names_exist(document: str) -> None:
    named = re.findall(rf"`({PATH})`", text_of(document)) + [
        p for _, p in PARTICIPANT.findall(text_of(document))
    ]
    assert [path for path in named if not exists(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_functions_that_a_document_names_exist(document: str) -> None:
    named = NAMED.findall(text_of(document))
    named += [(name, path) for path, name in IN_A_RECIPE.findall(text_of(document))]
    assert [f"{name} in {path}" for name, path in named if name not in defined_in(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    folder = (HOME / document).parent
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(document))
    assert [link for link in links if "://" not in link and not (folder / link).exists()] == []


SEQUENCES = re.findall(r"```mermaid\n(sequence.*?)```", text_of("docs/architecture.md"), re.DOTALL)


@pytest.mark.parametrize("sequence", SEQUENCES, ids=range(len(SEQUENCES)))
def test_what_a_sequence_calls_exists(sequence: str) -> None:
    """What has brackets in a message is a function of the module that the message goes to."""
    modules = dict(PARTICIPANT.findall(sequence))
    called = [
        (name, modules[to])
        for to, said in MESSAGE.findall(sequence)
        for name in re.findall(r"([A-Za-z_][\w.]*)\(\)", said)
    ]
    assert len(called) > 4
    assert [f"{name} in {path}" for name, path in called if name not in defined_in(path)] == []
