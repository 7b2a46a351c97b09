"""The panel in a language that nobody wrote code for: a folder with a catalogue is all it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.accounts import queries
from core.text import catalogues

THAI = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Broadcasts"
msgstr "การส่งข้อความ"

msgid "Overview"
msgstr "ภาพรวม"

msgid "{name} – {n} person"
msgid_plural "{name} – {n} people"
msgstr[0] "{name} – {n} คน"
"""


@pytest.fixture
def thai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locales" / "th"
    folder.mkdir(parents=True)
    (folder / "panel.po").write_text(THAI, "utf-8")
    monkeypatch.setattr(catalogues, "LOCALES", folder.parent)


def test_an_operator_chooses_thai_and_reads_what_is_translated(thai, arrange, panel):
    arrange.fanpage()
    at = panel("broadcasts", role="viewer")
    assert at.title[0].value == "Broadcasts"
    switch = at.segmented_control(key="language_switch")
    assert switch.options == ["ไทย", "English"]
    switch.select("th").run()
    assert not at.exception
    assert at.title[0].value == "การส่งข้อความ"
    assert "One message to everybody who agreed" in at.markdown[0].value  # not translated yet
    assert queries.list_operators()[0].language == "th"


def test_thai_counts_by_its_own_rule(thai, arrange, panel):
    fanpage = arrange.fanpage()
    topic = arrange.topic(fanpage, name="กุหลาบ")
    arrange.opt_in(topic, arrange.customer(fanpage), fanpage_id=fanpage)
    at = panel("new_broadcast", role="editor")
    at.segmented_control(key="language_switch").select("th").run()
    assert at.selectbox(key="broadcast_new_topic").options == ["กุหลาบ – 1 คน"]
