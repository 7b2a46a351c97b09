"""Half of the customers get one wording, half the other, and everybody always the same."""

from __future__ import annotations

from core.conversation.drafts import BlockDraft
from core.conversation.preview_thread import Step, thread_of
from core.conversation.wording_tests import choose_wording

BOTH = {"title": "Báo tôi khi có hồng xuân", "title_b": "Nhắn tôi ngay khi hồng xuân về", "after": "Cảm ơn!"}


def test_everybody_always_gets_the_same_wording():
    assert all(choose_wording(BOTH, n) == choose_wording(dict(BOTH), n) for n in range(200))
    assert "".join(choose_wording(BOTH, n).variant for n in range(8)) == "aabbabaa"  # in every process


def test_each_wording_goes_to_half_of_them():
    halves = [choose_wording(BOTH, n).variant for n in range(10_000)]
    assert 4850 < halves.count("a") < 5150
    assert halves.count("a") + halves.count("b") == 10_000


def test_the_halves_of_two_tests_have_nothing_to_do_with_each_other():
    other = {**BOTH, "title_b": "Cho tôi biết khi hồng xuân về"}
    same = sum(choose_wording(BOTH, n).variant == choose_wording(other, n).variant for n in range(10_000))
    assert 4850 < same < 5150


def test_the_second_half_reads_the_second_wording():
    chosen = next(c for n in range(99) if (c := choose_wording(BOTH, n)).variant == "b")
    assert chosen.content["title"] == BOTH["title_b"]
    assert chosen.content["after"] == "Cảm ơn!"


def test_without_a_second_wording_nothing_is_tested():
    for content in ({"title": "Một"}, {"title": "Một", "title_b": ""}, {"title": "Một", "title_b": "Một"}):
        chosen = choose_wording(content, 1)
        assert (chosen.content, chosen.test, chosen.variant) == (content, "", "")


def test_the_preview_shows_what_each_half_reads_also_behind_a_button():
    blocks, others = [BlockDraft("otnr", BOTH)], {7: [BlockDraft("otnr", {**BOTH, "title_b": "Khi nào về?"})]}
    steps = [Step("Xem", "message:7")]

    def read(variant: str) -> list[str]:
        phone = {"first_name": "Lan", "tapped": False, "after": None, "variant": variant}
        return [bubble.text for bubble in thread_of(blocks, steps, others.get, str, **phone)]

    assert read("a") == [BOTH["title"], "Xem", BOTH["title"]]
    assert read("b") == [BOTH["title_b"], "Xem", "Khi nào về?"]
