from __future__ import annotations

import pytest

from core.messenger import wire


def test_a_request_for_a_one_time_notification_has_the_documented_shape():
    assert wire.send_to_psid("25", wire.one_time_request("Báo tôi khi mở bán", "otn.x")) == {
        "recipient": {"id": "25"},
        "message": {
            "attachment": {
                "type": "template",
                "payload": {
                    "template_type": "one_time_notif_req",
                    "title": "Báo tôi khi mở bán",
                    "payload": "otn.x",
                },
            }
        },
        "messaging_type": "RESPONSE",
    }


def test_a_token_send_names_the_token_and_nobody_else():
    body = wire.send_to_token("T", wire.text("Chào", metadata="d:1"))
    assert body == {
        "recipient": {"one_time_notif_token": "T"},
        "message": {"text": "Chào", "metadata": "d:1"},
        "messaging_type": "UPDATE",
    }
    assert wire.token_spent_by(body) == "T"
    assert wire.token_spent_by(wire.send_to_psid("25", wire.text("x"))) is None


def test_buttons_open_a_link_or_send_a_payload():
    message = wire.buttons("Xem", [wire.Button("Mở", url="https://x.vn"), wire.Button("Hỏi", payload="p")])
    assert message["attachment"]["payload"] == {
        "template_type": "button",
        "text": "Xem",
        "buttons": [
            {"type": "web_url", "title": "Mở", "url": "https://x.vn"},
            {"type": "postback", "title": "Hỏi", "payload": "p"},
        ],
    }


@pytest.mark.parametrize(
    "target", [{}, {"url": "https://x.vn", "payload": "p"}, {"phone": "+84", "payload": "p"}]
)
def test_a_button_has_exactly_one_target(target):
    with pytest.raises(ValueError, match="one of them only"):
        wire.Button("Mở", **target)


def test_quick_replies_and_images():
    replies = [wire.QuickReply("Đỏ", "p"), wire.QuickReply(asks="email"), wire.QuickReply(asks="phone")]
    assert wire.with_quick_replies(wire.text("Chọn"), replies) == {
        "text": "Chọn",
        "quick_replies": [
            {"content_type": "text", "title": "Đỏ", "payload": "p"},
            {"content_type": "user_email"},
            {"content_type": "user_phone_number"},
        ],
    }
    assert wire.with_quick_replies(wire.text("Chọn"), []) == {"text": "Chọn"}
    assert wire.media("image", "https://x.vn/a.png") == {
        "attachment": {"type": "image", "payload": {"url": "https://x.vn/a.png"}}
    }


def test_metadata_is_added_to_a_copy():
    message = wire.text("x")
    assert wire.with_metadata(message, "m") == {"text": "x", "metadata": "m"}
    assert message == {"text": "x"}
    assert wire.with_metadata(message, None) == {"text": "x"}
