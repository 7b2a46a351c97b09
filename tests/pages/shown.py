"""What a page shows, read from its AppTest, and its buttons pressed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streamlit.testing.v1 import AppTest


def all_words(at: AppTest) -> str:
    """Everything the page says, whatever it says it with, in one text."""
    kinds = (at.title, at.subheader, at.markdown, at.text, at.caption, at.info, at.warning, at.error)
    said = [str(element.value) for kind in kinds for element in kind]
    said += [f"{metric.label} {metric.value}" for metric in at.metric]
    return "\n".join([*said, html(at)])


def html(at: AppTest) -> str:
    """All that is drawn as HTML: tables, badges, the phone."""
    return "\n".join(element.proto.body for element in at.get("html"))


def keys(elements: Iterable[Any]) -> set[str]:
    """The keys of widgets, such as those of `at.button`."""
    return {element.key or "" for element in elements}


def press(at: AppTest, key: str) -> AppTest:
    """The page after the button was pressed."""
    at.button(key=key).click().run()
    assert not at.exception
    return at
