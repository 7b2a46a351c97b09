"""Nobody outside the folders of the kinds compares the kind of an entry point: everybody asks the kind."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation.drafts import EntryDraft
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_kinds.ref import link_name
from core.conversation.entry_kinds.registry import COMPOSED, KINDS
from core.conversation.entry_points import check_entry_points, clean_entry, fields_of, typed_entries
from pages.messages.composer.entry_forms.registry import FORMS

ROOT = Path(__file__).resolve().parents[2]
THEIRS = ("core/conversation/entry_kinds/", "pages/messages/composer/entry_forms/")
PLATFORM = ("core/messenger/", "core/simulator/")  # know no feature
FILES = [
    path
    for top in ("core", "pages", "webhook_server")
    for path in sorted((ROOT / top).rglob("*.py"))
    if not str(path.relative_to(ROOT)).startswith(THEIRS + PLATFORM)
]
PLAYS = {
    "pages/demo/entry_points.py",
    "pages/messages/entry_points/composed_entries.py",
}  # somebody has to do on the phone what each kind wants


def compared(source: str) -> list[str]:
    """Where a module compares something with the name of a kind, or looks words up by it."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if _compares(node)]


def _compares(node: ast.AST) -> bool:
    if isinstance(node, ast.match_case):
        return "EntryKind." in ast.unparse(node.pattern)
    return isinstance(node, ast.Compare | ast.Dict) and "EntryKind." in ast.unparse(node)


def test_nobody_compares_the_kind_of_an_entry_point() -> None:
    found = {str(path.relative_to(ROOT)): compared(path.read_text("utf-8")) for path in FILES}
    assert {name for name, places in found.items() if places} <= PLAYS


def test_each_kind_has_its_name_and_each_that_a_message_holds_its_form() -> None:
    assert set(KINDS) == set(EntryKind)
    assert list(FORMS) == list(COMPOSED)


def test_the_fields_of_a_kind_are_of_no_other() -> None:
    names = [field for kind in COMPOSED.values() for field in kind.fields]
    assert len(names) == len(set(names))
    assert set(fields_of([])) == set(names)


def test_what_the_composer_holds_is_what_was_kept() -> None:
    kept = [
        EntryDraft(EntryKind.GET_STARTED),
        EntryDraft(EntryKind.KEYWORD, "contains", "giá"),
        EntryDraft(EntryKind.KEYWORD, "starts_with", "đặt"),
        EntryDraft(EntryKind.KEYWORD, "exact", "hi shop"),
        EntryDraft(EntryKind.REF, None, "tet-2027"),
        EntryDraft(EntryKind.COMMENT, "contains", "mua"),
        EntryDraft(EntryKind.COMMENT, "any"),
    ]
    assert typed_entries(fields_of(kept)) == kept


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Hoa Tết 2027", "hoa-tet-2027"),
        ("Báo khi hoa mẫu đơn về", "bao-khi-hoa-mau-don-ve"),
        ("san_pham_moi", "san_pham_moi"),  # a name that survives stays as it is
        ("Ship-2026", "Ship-2026"),
        (" “tet” ", "tet"),
        ("50% off!", "50-off"),
        ("🌸 Quà 8/3", "qua-8-3"),
        ("Đào & Mai", "dao-mai"),
    ],
)
def test_a_link_is_named_from_what_staff_type(typed: str, name: str) -> None:
    assert link_name(typed) == name


@given(st.text(max_size=300))
def test_a_name_with_a_letter_or_digit_of_ours_always_makes_a_link(typed: str) -> None:
    name = link_name(typed)
    assert link_name(name) == name
    if any(sign.isascii() and sign.isalnum() for sign in typed) and len(name) <= 200:
        assert not check_entry_points([EntryDraft(EntryKind.REF, None, typed)])


@pytest.mark.parametrize("typed", ["", "🌸", "…"])
def test_a_name_of_which_no_link_can_be_made_is_refused(typed: str) -> None:
    assert check_entry_points([EntryDraft(EntryKind.REF, None, typed)])


def test_two_names_that_make_the_same_link_are_the_same_one() -> None:
    twice = [EntryDraft(EntryKind.REF, None, "Hoa Tết"), EntryDraft(EntryKind.REF, None, "hoa tet")]
    assert [problem.template for problem in check_entry_points(twice)] == ["“{value}” appears twice."]


def test_an_unknown_kind_is_kept_as_it_is_and_refused() -> None:
    strange = EntryDraft("fax", None, "1")
    assert clean_entry(strange) == strange
    assert [problem.template for problem in check_entry_points([strange])] == [
        "There is no entry point called “{kind}”."
    ]
