"""Which keyword a customer's words fire: one rule, about marks, whole words and what wins."""

from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.conversation.drafts import KeywordMatch
from core.conversation.entry_kinds.kind import KnownEntry
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.keyword_rules import find_clashes, find_keyword, fires
from core.text.matching import has_marks, search_key

CONTAINS, STARTS_WITH, EXACT = KeywordMatch.CONTAINS, KeywordMatch.STARTS_WITH, KeywordMatch.EXACT
SPOKEN = "son sơn sớn hoa hóa hòa hoà đơn don giá gia bán bàn bạn ban ơi khuyến mãi mai shop 50k"
WORDS = SPOKEN.split()
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
values = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join)
matches = st.sampled_from(KeywordMatch)


def keyword(value: str, match: KeywordMatch = CONTAINS, message_id: int = 1) -> KnownEntry:
    return KnownEntry(message_id, EntryKind.KEYWORD, match, value)


@pytest.mark.parametrize(
    ("value", "match", "text", "does"),
    [
        # Typed with marks: the marks must be those of the keyword.
        ("son", CONTAINS, "Mình tên Sơn", False),
        ("hoa", CONTAINS, "cho mình xin hóa đơn", False),
        ("hóa đơn", CONTAINS, "cho mình xin hoá đơn", True),  # the place of the tone mark does not matter
        ("giá", CONTAINS, "shop ơi gia bao nhieu", False),  # typed with marks, and "gia" is another word
        ("gia", CONTAINS, "Gia Hân đây ạ", True),
        ("bán", CONTAINS, "bạn ơi", False),
        ("đơn", CONTAINS, "ĐƠN của mình đâu", True),
        ("khuyến mãi", CONTAINS, "có KHUYẾN MÃI không?", True),
        ("khuyến mãi", CONTAINS, "khuye\u0302\u0301n ma\u0303i", True),  # decomposed, as iOS sends it
        # Typed without any marks: either way.
        ("giá", CONTAINS, "gia bao nhieu vay shop", True),
        ("gia", CONTAINS, "gia bao nhieu vay shop", True),
        ("đơn hàng", CONTAINS, "don hang", True),
        ("son", CONTAINS, "minh ten Son", True),
        ("giá", CONTAINS, "gia ❤️ 1️⃣", True),  # what joins an emoji is no mark
        # Whole words.
        ("gia", CONTAINS, "giao hang", False),
        ("son", CONTAINS, "sonnet", False),
        ("giá", CONTAINS, "(giá)", True),
        # Where in the text.
        ("giá", STARTS_WITH, "giá hoa hôm nay", True),
        ("giá", STARTS_WITH, "hỏi giá", False),
        ("giá hoa", STARTS_WITH, "gia hoa bao nhieu", True),
        ("giá", STARTS_WITH, "giáo viên", False),
        ("giá", EXACT, "Giá?", True),
        ("giá", EXACT, "giá hoa", False),
        # Only punctuation.
        (".", EXACT, ".", True),
        (".", EXACT, "..", False),
        (".", CONTAINS, "giá.", False),
        ("giá", CONTAINS, "", False),
    ],
)
def test_words_fire_a_keyword_or_not(value: str, match: KeywordMatch, text: str, does: bool) -> None:
    assert fires(keyword(value, match), text) is does


@given(value=values, before=texts, after=texts)
def test_a_keyword_is_found_wherever_it_stands_when_it_is_spelt_right(
    value: str, before: str, after: str
) -> None:
    assert fires(keyword(value), f"{before} {value} {after}")


@given(value=values, before=texts, after=texts)
def test_a_text_without_any_marks_fires_it_either_way(value: str, before: str, after: str) -> None:
    assert fires(keyword(value), search_key(f"{before} {value} {after}"))


@given(value=values, text=texts)
def test_a_text_with_marks_never_fires_a_keyword_with_other_ones(value: str, text: str) -> None:
    assume(has_marks(text))
    one_spelling = f" {text} ".replace("hoà", "hòa")
    assert fires(keyword(value), text) is (f" {value} ".replace("hoà", "hòa") in one_spelling)


@given(value=values, text=texts, match=matches)
def test_taking_the_marks_from_a_text_never_makes_a_keyword_miss(
    value: str, text: str, match: KeywordMatch
) -> None:
    if fires(keyword(value, match), text):
        assert fires(keyword(value, match), search_key(text))


@given(value=values, text=texts)
def test_exact_is_stricter_than_the_start_and_that_than_anywhere(value: str, text: str) -> None:
    exact, start, anywhere = (fires(keyword(value, match), text) for match in (EXACT, STARTS_WITH, CONTAINS))
    assert exact <= start <= anywhere


@given(value=values, text=texts, match=matches)
def test_case_and_punctuation_never_matter(value: str, text: str, match: KeywordMatch) -> None:
    assert fires(keyword(value, match), f"…{text.upper()}!?") is fires(keyword(value, match), text)


@given(value=st.text(), text=st.text(), match=matches)
def test_whatever_is_typed_never_breaks_the_rule(value: str, text: str, match: KeywordMatch) -> None:
    assert fires(keyword(value, match), text) in (True, False)


@pytest.mark.parametrize(
    ("text", "wins"),
    [
        ("giá", "giá"),  # the whole text before a part
        ("giá khuyến mãi bao nhiêu", "giá khuyến mãi"),  # a longer part before a shorter one
        ("ban", "ban"),  # the same marks before other ones
        ("hoa gia", "hoa"),  # as long: the one at the start
    ],
)
def test_the_closest_keyword_wins_in_whatever_order_they_stand(text: str, wins: str) -> None:
    known = [
        keyword("giá"),
        keyword("giá khuyến mãi"),
        keyword("bán"),
        keyword("ban"),
        keyword("gia"),
        keyword("hoa", STARTS_WITH),
    ]
    if text == "giá":
        known.remove(keyword("gia"))
    for order in permutations(known):
        assert find_keyword(order, text).value == wins


def test_of_two_that_fit_alike_the_older_one_wins() -> None:
    assert find_keyword([keyword("bán"), keyword("bàn")], "ban") == keyword("bán")


@given(st.lists(st.tuples(values, matches), max_size=6), texts)
def test_what_wins_is_fired(given_keywords: list[tuple[str, KeywordMatch]], text: str) -> None:
    known = [keyword(value, match, place) for place, (value, match) in enumerate(given_keywords)]
    won = find_keyword(known, text)
    assert (won is None) is (not any(fires(each, text) for each in known))
    assert won is None or fires(won, text)


def test_clashes_say_which_message_wins() -> None:
    price, sale, sell, table = (
        keyword("giá", message_id=1),
        keyword("giá khuyến mãi", message_id=2),
        keyword("bán", message_id=3),
        keyword("bàn", EXACT, message_id=4),
    )
    found = [(each.text, each.winner, each.others) for each in find_clashes([price, sale, sell, table])]
    assert found == [("giá khuyến mãi", sale, (price,)), ("ban", sell, (table,))]


def test_keywords_of_one_message_never_clash() -> None:
    assert find_clashes([keyword("giá"), keyword("giá khuyến mãi")]) == []


@given(st.lists(st.tuples(values, matches, st.integers(1, 3)), max_size=6))
def test_a_clash_is_a_text_that_fires_keywords_of_several_messages(
    given_keywords: list[tuple[str, KeywordMatch, int]],
) -> None:
    known = [keyword(*each) for each in given_keywords]
    for clash in find_clashes(known):
        assert find_keyword(known, clash.text) == clash.winner
        assert clash.others
        assert all(fires(each, clash.text) for each in clash.others)
        assert clash.winner.message_id not in {each.message_id for each in clash.others}
