"""The README tells the truth of settings, rooms, commands and pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from core.__main__ import app
from core.settings import Settings

HOME = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    setting = f"OTN_{name.upper()}"
    assert f"`{setting}`" in (HOME / "README.md").read_text("utf-8")
    assert setting in (HOME / ".env.example").read_text("utf-8")


@pytest.mark.parametrize("name", ["graph_url", "graph_version", "timezone", "panel_port", "database_url"])
def test_the_documented_default_is_the_real_one(name: str) -> None:
    line = next(
        line
        for line in (HOME / "README.md").read_text("utf-8").splitlines()
        if f"| `OTN_{name.upper()}`" in line
    )
    assert f"`{Settings.model_fields[name].default}`" in line


def test_the_readme_shows_pictures_that_exist() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (HOME / "README.md").read_text("utf-8")):
        assert (HOME / path).is_file(), path


def test_the_map_names_every_room_and_no_other() -> None:
    """Folders of core and pages, and the folders beside them, in the indentation of the map."""
    text = (HOME / "README.md").read_text("utf-8").split("## Map of the folders")[1].split("```")[1]
    outer, inner, under = set(), set(), ""
    for indentation, name in re.findall(r"^( *)([\w.]+/?)(?: |$)", text, re.MULTILINE):
        if not indentation:
            outer.add(name)
            under = name
        elif name.endswith("/"):
            inner.add(f"{under}{name}")
    rooms = {path.parent for top in ("core", "pages") for path in (HOME / top).glob("*/*") if path.is_file()}
    rooms |= {path.parent for path in (HOME / "pages").glob("*/*") if path.is_dir()}
    known = {f"{room.relative_to(HOME)}/" for room in rooms if room.name != "__pycache__"}
    assert inner == known
    assert outer == {"app.py", "core/", "pages/", "webhook_server/", "tests/", "docs/"}


def commands_of(group: Any) -> set[str]:
    """Names as they are typed: `migrate`, `optin import`."""
    found: set[str] = set()
    for name, command in group.commands.items():
        inner = commands_of(command) if hasattr(command, "commands") else {""}
        found |= {f"{name} {each}".strip() for each in inner}
    return found


def test_the_readme_names_every_command() -> None:
    line = re.search(r"^`migrate` ·.*$", (HOME / "README.md").read_text("utf-8"), re.MULTILINE)
    assert line
    said = [each.partition(" ") for each in re.findall(r"`([a-z][a-z |-]*)`", line[0].split(". The")[0])]
    named = {f"{first} {each}".strip() for first, _, rest in said for each in rest.split(" | ")}
    assert named == commands_of(typer.main.get_group(app))
