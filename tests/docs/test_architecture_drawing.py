"""The rooms are drawn in docs/architecture.md as the imports make them."""

from __future__ import annotations

import re

import pytest

from tests.docs.drawing import Arrows, drawn, imports, reached, reduced
from tests.imports import ROOT, room_of

HOUSE, PANEL = re.findall(
    r"```mermaid\n(flowchart.*?)```", (ROOT / "docs/architecture.md").read_text("utf-8"), re.DOTALL
)


def of_the_house() -> Arrows:
    """With all of the panel as one room."""
    arrows = {(_whole_panel(a), _whole_panel(b)) for a, b in imports()}
    return reduced((a, b) for a, b in arrows if a != b)


def _whole_panel(room: str) -> str:
    return "pages" if room.startswith("pages/") else room


def of_the_panel() -> Arrows:
    return reduced((a, b) for a, b in imports() if not b.startswith("core/") and a != "webhook_server")


def test_no_room_imports_one_that_imports_it():
    assert [a for a, b in reached(imports()) if a == b] == []


@pytest.mark.parametrize(("drawing", "made"), [(HOUSE, of_the_house), (PANEL, of_the_panel)])
def test_the_drawing_is_what_the_imports_make(drawing, made):
    """An import that makes a new arrow is drawn, or better not made."""
    assert {"to be drawn": made() - drawn(drawing), "not to be drawn": drawn(drawing) - made()} == {
        "to be drawn": set(),
        "not to be drawn": set(),
    }


def test_a_folder_of_the_menu_knows_none_of_the_others():
    shared = {"pages/components", "pages/shell"}
    sideways = {(a, b) for a, b in imports() if a.startswith("pages/") and b.startswith("pages/")}
    assert {(a, b) for a, b in sideways if b not in shared} == set()


def test_a_module_belongs_to_its_folder():
    assert room_of("core.sending.senders.sender") == "core/sending"
    assert room_of("core.settings") == "core/settings"
    assert room_of("core.worker") == "core/worker"
    assert room_of("pages.broadcasts.new.page") == "pages/broadcasts"
    assert room_of("webhook_server.main") == "webhook_server"


def test_an_arrow_that_follows_from_others_is_not_drawn():
    assert reduced({("a", "b"), ("b", "c"), ("a", "c")}) == {("a", "b"), ("b", "c")}
    assert drawn('flowchart TD\n  a["x/a"] --> b\n  b --> a\n') == {("x/a", "b"), ("b", "x/a")}
