"""Every package says what its room is for and where to begin, and the files that it names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
PACKAGES = sorted(
    str(path.parent.relative_to(HOME))
    for room in ("core", "pages", "webhook_server")
    for path in HOME.glob(f"{room}/**/__init__.py")
)
# Streamlit would run a file of pages/ without the sign-in; migrations are found by their numbers.
BARE = {"pages", "core/db/migrations/versions"}
NAMED = re.compile(r"\b[\w/]+\.py\b")


def docstring(package: str) -> str:
    return ast.get_docstring(ast.parse((HOME / package / "__init__.py").read_text("utf-8"))) or ""


def test_every_package_says_what_it_is_for() -> None:
    assert {package for package in PACKAGES if not docstring(package)} <= BARE


@pytest.mark.parametrize("package", PACKAGES)
def test_the_files_that_a_package_names_exist(package: str) -> None:
    named = NAMED.findall(docstring(package))
    assert [n for n in named if not (HOME / package / n).exists() and not (HOME / n).exists()] == []
