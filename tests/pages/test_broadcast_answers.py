"""The broadcast wizard: any kind of block, quick replies under it, and what follows an answer."""

from __future__ import annotations

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions as broadcasts
from core.broadcasts.drafts import get_draft
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft
from tests.pages.shown import html


def of(elements, ending: str) -> list:
    return [element for element in elements if (element.key or "").endswith(ending)]


def test_a_card_with_quick_replies_and_what_follows_is_written(panel, arrange) -> None:
    fanpage = arrange.fanpage()
    blocks = [BlockDraft("text", {"text": "50.000 đ"})]
    given = {"blocks": blocks, "entry_points": [], "now": arrange.now}
    prices = save_message(COMMAND_LINE, fanpage, name="Bảng giá", **given)
    made = broadcasts.create_broadcast(COMMAND_LINE, topic_id=arrange.topic(fanpage), now=arrange.now)
    at = panel("new_broadcast", id=made, step="what")
    assumed = "only shows text messages sent with an opt-in"
    assert not any(assumed in each.value for each in at.caption)
    at.segmented_control(key=f"broadcast_{made}_kind").select("card").run()
    assert any(assumed in each.value for each in at.caption)
    of(at.text_input, "_title")[0].input("Hoa hồng").run()
    of(at.text_input, "_subtitle")[0].input("Về rồi").run()
    of(at.button, "_row_add")[-1].click().run()
    of(at.text_input, "_title")[-1].input("Giữ cho tôi").run()
    of(at.selectbox, "_after")[0].select(prices).run()
    assert not at.exception
    content = get_draft(made).content
    assert (content["title"], content["after_message_id"]) == ("Hoa hồng", prices)
    assert content["replies"] == [{"title": "Giữ cho tôi", "message_id": None}]
    assert "Giữ cho tôi" in html(at)
    of(at.button, "phone_tap_0_r0")[0].click().run()
    assert "50.000" in html(at)

    again = panel("new_broadcast", role="editor", id=made, step="what")
    assert not again.exception
    assert get_draft(made).content == content
