"""The promise check: its figures on sentences its rules have not seen (promises/README.md), and its edges."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.conversation.promises import PromiseRule, find_warnings, warn_topic

LABELLED = Path(__file__).parent / "promises"
SCORED = (PromiseRule.REWARD, PromiseRule.VAGUE, PromiseRule.SHOUTING)
LEAST = 0.9


@dataclass(frozen=True)
class Figures:
    """How often a rule warned rightly, without need, and not although it was due."""

    right: int
    needless: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.needless)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)

    def __str__(self) -> str:
        counts = f"{self.right} right, {self.needless} needless, {self.missed} missed"
        return f"precision {self.precision:.3f}, recall {self.recall:.3f} ({counts})"


def measure(language: str, part: str) -> dict[PromiseRule, Figures]:
    """The figures of each rule over one part of a language's sentences."""
    counts: Counter[tuple[PromiseRule, bool, bool]] = Counter()
    with (LABELLED / f"{language}.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["part"] == part:
                due = (row["rules"] or "").split(",")
                found = {warning.rule for warning in find_warnings(row["text"], row["topic"] or "")}
                counts.update((rule, rule in due, rule in found) for rule in SCORED)
    return {
        rule: Figures(counts[rule, True, True], counts[rule, False, True], counts[rule, True, False])
        for rule in SCORED
    }


@pytest.mark.parametrize("language", ["vi", "en"])
def test_warnings_are_right_and_mostly_complete_on_unseen_sentences(language: str) -> None:
    for rule, figures in measure(language, "test").items():
        print(f"{language} {rule}: {figures}")  # noqa: T201 - shown with -rP or -s
        assert figures.precision > LEAST, rule
        assert figures.recall > LEAST, rule


def rules_of(title: str) -> list[str]:
    return [warning.rule for warning in find_warnings(title)]


@pytest.mark.parametrize(
    "title",
    [
        "Bấm báo váy về, tặng voucher 50k",
        "bam bao vay ve, tang voucher 50k",  # without marks
        "b4m b40 v4y v3, t4ng v0uch3r 50k",  # digits for letters
        "bấm báo váy về, t.ặ.n.g voucher",
        "bấm báo váy về, tặng vоuсher",  # Cyrillic о and с
        "bấm báo váy về, dc fs",  # được freeship
        "Tap for dress news, get a gift",
        "t@p for dress news, g3t a g1ft",
        "tpa for dress news, get a cupon",
        "tap for dress news and cIaim a couponn",
    ],
)
def test_a_disguised_reward_is_a_reward(title: str) -> None:
    assert rules_of(title) == [PromiseRule.REWARD]


@pytest.mark.parametrize(
    "title",
    [
        "Báo tôi khi quán có nhân bánh mới",  # nhân, not nhận
        "bao em khi banh trung thu len ke",  # not trúng
        "Tell me when the sugar-free cakes are back",
        "Báo tôi khi vé dưới 500k mở bán",
        "Nhận thông báo khi chương trình tặng quà bắt đầu",
        "Cần bạn xác nhận lịch hẹn",
        "Click to get your IELTS score",
    ],
)
def test_words_that_only_look_like_a_reward_are_let_be(title: str) -> None:
    assert rules_of(title) == []


@pytest.mark.parametrize(
    "title",
    [
        "Stay in touch with Willow Lane",
        "Join the Fern & Fig family",
        "Fern's Bakery",
        "Nhận tin từ Spa Hương Sen",
        "Nhận tin từ Nhà sách Phương Nam",
        "Quán Bụi",
        "giu lien lac voi Hoa Mai",
        "Ping me if anything nice comes up",  # anything at all
        "Báo tôi khi có điều gì mới mẻ",
    ],
)
def test_who_sends_and_that_it_is_nice_do_not_say_what_will_be_told(title: str) -> None:
    assert rules_of(title) == [PromiseRule.VAGUE]


@pytest.mark.parametrize(
    "title",
    [
        "Updates from Willow Lane on the bread class",
        "Tell me when Fern's Bakery opens",
        "Jobs At The Coffee Shop",
        "Arsenal news",
        "Flights from Hanoi",
        "Báo tôi khi Quán Bụi mở cửa",
        "Tin từ nhà trường: lịch thi",
        "nhac toi tiem HPV mui 2",  # tiêm, not tiệm
        "Báo tôi khi quán mở thứ Bảy",  # a day, not a thing
        # a word of the name said once more, where it is none
        "Nhận tin từ Nhà sách Phương Nam về sách mới",
        "Nhận tin từ Nhà sách Phương Nam khi có sách mới",
        "Nhận tin từ Nhà Sách Cá Chép khi Sách Giáo Khoa về",
        "Nhận tin từ Tiệm bánh Mai: bánh mới",
        "Nhận tin từ Tiệm hoa Mai khi có hoa mới",
        "Stay in touch with Willow Lane: Lane closed",
    ],
)
def test_what_stands_beside_a_name_still_says_what_will_be_told(title: str) -> None:
    assert rules_of(title) == []


def test_the_offered_words_are_named_with_the_rule_of_the_platform() -> None:
    reason = find_warnings("Bấm báo váy về, tặng ngay 50k")[0].reason
    assert reason.message.startswith("“tặng ngay 50k” sounds like a reward for tapping. Meta's rule:")
    assert reason.field == "title"


@pytest.mark.parametrize(
    ("title", "rules"),
    [
        ("Tap and we'll send you a mug", ["reward"]),
        ("Tap and we'll send you a note when the boots are back", []),
        ("Opt in today for your shot at an iPad", ["reward"]),
        ("Turn notifications on, we'll buy your next coffee", ["reward"]),
        ("Báo tôi khi váy HOT HOT HOT về", ["shouting"]),
        ("Báo tôi khi váy HOT về", []),
    ],
)
def test_gifts_that_nobody_listed_and_capitals_again_and_again_are_seen(title: str, rules: list[str]) -> None:
    assert rules_of(title) == rules


@pytest.mark.parametrize(
    "title", ["", " ", "\u200b", "!!!", "1", "@", "&", "🎁", "\ud83c", "a" * 5000, "=" * 500]
)
def test_no_title_is_too_odd(title: str) -> None:
    assert len(find_warnings(title, title)) <= len(PromiseRule)


@pytest.mark.parametrize(
    ("title", "topic", "is_hinted"),
    [
        ("Báo tôi khi váy hoa về", "Váy hoa", False),
        ("bao toi khi vay hoa ve", "Váy hoa", False),
        ("Báo tôi khi có hàng", "Váy hoa", False),  # names nothing else
        ("Báo tôi khi nồi chiên về", "Váy hoa", True),
        ("Tell me when the roses arrive", "Rose", False),
        ("Tell me when the oven arrives", "Roses", True),
        ("Tell me when the oven arrives", "", False),
        ("Tell me when the oven arrives", "Váy hoa", False),  # a translation
        ("Báo tôi khi nồi chiên về", "New arrivals", False),
        ("Báo tôi khi nồi chiên về", "Vay hoa", True),
    ],
)
def test_a_promise_beside_its_topic_is_a_hint(title: str, topic: str, is_hinted: bool) -> None:
    assert bool(warn_topic(title, topic)) is is_hinted
