"""Which links a message has, and what a short link does to it."""

from __future__ import annotations

import pytest

from core.clicks.rules import PLACES, PlacedLink, host_of, is_automatic, links_in, replace_links
from core.messenger import message_limits, wire

SHOP = "https://hoatuoi.vn/tet?a=1&b=2"


def numbered(placed: PlacedLink) -> str:
    return f"https://otn.vn/l/{placed.place}"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (f"Xem {SHOP}.", [SHOP]),
        (f"({SHOP})", [SHOP]),
        ("https://vi.wikipedia.org/wiki/Mai_(hoa), đẹp!", ["https://vi.wikipedia.org/wiki/Mai_(hoa)"]),
        ("HTTPS://HOATUOI.VN và http://b.vn/x", ["HTTPS://HOATUOI.VN", "http://b.vn/x"]),
        ("Giảm 50%! hoatuoi.vn, mailto:a@b.vn, ftp://x.vn", []),
        ("https:// một mình", []),
        ("https://hoa.vn/?ten={{first_name}}", []),
        ("Chào {{first_name}}, https://hoa.vn/{{first_name|bạn}}", []),
        ("https://hoa.vn/tết-này", ["https://hoa.vn/tết-này"]),
    ],
)
def test_links_of_a_text(text, links):
    assert links_in(wire.text(text)) == links


def test_links_are_numbered_in_the_order_in_which_they_stand():
    message = wire.buttons(
        "Xem https://a.vn", [wire.Button("B", url="https://b.vn"), wire.Button("C", payload="p")]
    )
    assert links_in(message) == ["https://a.vn", "https://b.vn"]
    short = replace_links(message, numbered)["attachment"]["payload"]
    assert short["text"] == "Xem https://otn.vn/l/0"
    assert [button.get("url") for button in short["buttons"]] == ["https://otn.vn/l/1", None]


def test_cards_lead_through_us_and_their_pictures_do_not():
    card = {
        "title": "Hồng",
        "image_url": "https://hoa.vn/hong.jpg",
        "default_action": {"type": "web_url", "url": "https://hoa.vn/hong"},
        "buttons": [{"type": "web_url", "title": "Mua", "url": "https://hoa.vn/mua"}],
    }
    message = {
        "attachment": {"type": "template", "payload": {"template_type": "generic", "elements": [card, card]}}
    }
    assert links_in(message) == ["https://hoa.vn/hong", "https://hoa.vn/mua"] * 2
    made = replace_links(message, numbered)["attachment"]["payload"]["elements"][1]
    assert made["image_url"] == "https://hoa.vn/hong.jpg"
    assert made["buttons"][0]["url"] == "https://otn.vn/l/3"


def test_the_message_itself_stays_as_it_was():
    message = wire.text(SHOP)
    replace_links(message, numbered)
    assert message == wire.text(SHOP)


def test_a_picture_by_its_address_is_no_link():
    assert links_in({"attachment": {"type": "image", "payload": {"url": "https://hoa.vn/hong.jpg"}}}) == []


def test_a_text_that_would_become_too_long_keeps_its_links_and_the_places_stay():
    text = "https://a.vn " + "a" * (message_limits.BUTTON_TEXT_LIMIT - 13)
    message = wire.buttons(text, [wire.Button("B", url="https://b.vn")])
    made = replace_links(message, numbered)["attachment"]["payload"]
    assert made["text"] == text
    assert made["buttons"][0]["url"] == "https://otn.vn/l/1"


def test_only_so_many_links_are_counted_as_there_are_bits():
    many = wire.text(" ".join(f"https://a.vn/{n}" for n in range(PLACES + 2)))
    words = replace_links(many, numbered)["text"].split()
    assert words[-1] == f"https://a.vn/{PLACES + 1}"
    assert words[PLACES - 1] == f"https://otn.vn/l/{PLACES - 1}"


@pytest.mark.parametrize(
    ("url", "host"),
    [(SHOP, "hoatuoi.vn"), ("https://www.a.vn:80/x", "a.vn"), ("https://hoatươi.vn", ""), ("https://[", "")],
)
def test_the_host_that_a_short_link_names(url, host):
    assert host_of(url) == host


PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 [FBAN/MessengerLiteForiOS;FBAV/480.0]"
)
ANDROID = "Mozilla/5.0 (Linux; Android 14; CUBOT X) Chrome/130.0 Mobile Safari/537.36 [FB_IAB/Orca-Android]"


@pytest.mark.parametrize(
    "agent", [PHONE, ANDROID, "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36"]
)
def test_a_tap_counts(agent):
    assert not is_automatic("GET", {"user-agent": agent})


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {"user-agent": PHONE}),
        ("GET", {}),
        ("GET", {"user-agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}),
        ("GET", {"user-agent": "meta-externalagent/1.1"}),
        ("GET", {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}),
        ("GET", {"user-agent": "TelegramBot (like TwitterBot)"}),
        ("GET", {"user-agent": "WhatsApp/2.23"}),
        ("GET", {"user-agent": "curl/8.5"}),
        ("GET", {"user-agent": PHONE, "sec-purpose": "prefetch;prerender"}),
        ("GET", {"user-agent": PHONE, "purpose": "prefetch"}),
        ("GET", {"user-agent": PHONE, "x-moz": "prefetch"}),
    ],
)
def test_previews_and_robots_do_not_count(method, headers):
    assert is_automatic(method, headers)
