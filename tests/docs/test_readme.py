"""The README and .env.example name every setting, with its real default."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    import re

    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (HOME / "README.md").read_text("utf-8")):
        assert (HOME / path).is_file(), path
