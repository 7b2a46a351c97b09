"""Help beside a title opens the part about the page; the guide's own page shows each part."""

from __future__ import annotations

from tests.pages.conftest import Panel
from tests.pages.shown import all_words, press


def test_help_opens_the_part_about_the_page(panel: Panel, topic_id: int) -> None:
    at = press(panel("topics", role="viewer"), "guide_help_open")
    assert "A topic is what customers agree to hear about once" in all_words(at)
    press(at, "guide_help_close")
    assert "A topic is what customers agree to hear about once" not in all_words(at)


def test_the_guide_opens_at_the_part_in_the_address(panel: Panel, topic_id: int) -> None:
    at = panel("guide", role="viewer", part="problems")
    assert "Customers tap, but nobody appears" in all_words(at)
    at.radio(key="guide_part").set_value("results").run()
    assert not at.exception
    assert at.query_params["part"] in ("results", ["results"])
    assert "What the numbers mean" in all_words(at)


def test_another_part_is_no_way_into_other_files(panel: Panel, topic_id: int) -> None:
    assert "How to keep the feature" in all_words(panel("guide", part="../../../CHANGELOG"))
