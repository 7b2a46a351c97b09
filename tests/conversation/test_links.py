"""Addresses that customers open are public ones of the web."""

import pytest

from core.conversation.blocks.button_kinds import clean_phone
from core.conversation.blocks.links import check_link, is_public


@pytest.mark.parametrize(
    "link",
    [
        "https://hoa.vn",
        "http://hoa.vn:8080/a.jpg?b=c#d",
        "https://tiệm-hoa.vn/hoa-hồng",
        "https://8.8.8.8/a",
        "https://hoa.vn?ref=tet",
        "https://localhost.hoa.vn/a",
    ],
)
def test_a_public_address_is_taken(link: str) -> None:
    assert check_link("url", link, "missing") == []


@pytest.mark.parametrize(
    "link",
    [
        "http://localhost/a",
        "http://LOCALHOST:8501",
        "https://127.0.0.1/a",
        "https://127.0.0.1./a",
        "http://10.0.0.7/a.jpg",
        "http://192.168.1.10",
        "http://172.16.3.4",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1",
        "http://0.0.0.0",
        "http://127.1",
        "http://0x7f.0.0.1",
        "http://0177.0.0.1",
        "http://2130706433",
        "http://[::1]/",
        "http://[fe80::1]/a.b",
        "http://[::ffff:10.0.0.1]/",
        "http://printer.local/a",
        "http://wiki.internal",
        "http://home.arpa/",
        "http://shop.test",
        "http://shop.onion/a",
        "http://fritz.box",
        "http://nas.home.arpa",
        "http://intranet",
        "https://hoa.vn@127.0.0.1/",
        "https://user:word@hoa.vn/",
        "https://hoa.vn:99999/",
        "ftp://hoa.vn/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://hoa.vn\\@10.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://１２７.0.0.1/",
        "http://017700000001.0/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://[fec0::1]/",
        "http://[2002:0a00:0001::]/",
        "http://[::ffff:7f00:1]/",
        "http://224.0.0.1/",
        "http://localhost./a",
        "http://[::10.0.0.1]/",
        "http://[::ffff:0:10.0.0.1]/",
        "http://127.0.0.1。/",
        "http://127.0。0。1/",
        "http://printer。local.local/",
        "http://printer.%6cocal/",
        "http://127.0.0.\u00ad1/",
        "http://12\u20607.0.0.1/",
        "http://127.0.0.1\u200b/",
        "http://127\ufe0f.0.0.1/",
        "http://printer.loc\u034fal/",
    ],
)
def test_an_address_that_customers_cannot_reach_is_refused(link: str) -> None:
    assert not is_public(link) or check_link("url", link, "missing")
    assert [one.field for one in check_link("url", link, "missing")] == ["url"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0901 234 567", "+84901234567"),
        ("(028) 3822.1234", "+842838221234"),
        ("+84 901-234-567", "+84901234567"),
        ("0084901234567", "+84901234567"),
        ("+44 20 7946 0958", "+442079460958"),
        ("hotline", "hotline"),
    ],
)
def test_a_phone_number_gets_its_country_code(typed: str, kept: str) -> None:
    assert clean_phone(typed) == kept
