"""States, roles and kinds are compared with the members of their enums, never with words."""

import ast

import pytest

from tests.imports import FILES, name_of

KINDS_OF_THINGS = ("state", "role", "kind")


def is_kind_of_thing(node: ast.AST) -> bool:
    """Whether a node reads such an attribute, by itself or in a call such as `col(OptIn.state)`."""
    while isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    return isinstance(node, ast.Attribute) and node.attr in KINDS_OF_THINGS


def words_in(*nodes: ast.AST) -> bool:
    found = (each for node in nodes for each in ast.walk(node))
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in found)


def compares_with_words(node: ast.AST) -> bool:
    """Whether a node compares a state, a role or a kind with a word instead of a member of an enum."""
    match node:
        case ast.Compare(left=left, comparators=others):
            sides = [left, *others]
            given = [side for side in sides if not is_kind_of_thing(side)]
            return len(given) < len(sides) and words_in(*given)
        case ast.Call(func=ast.Attribute(value=compared, attr="in_" | "not_in"), args=given):
            return is_kind_of_thing(compared) and words_in(*given)
        case ast.Match(subject=subject, cases=cases):
            return is_kind_of_thing(subject) and words_in(*(case.pattern for case in cases))
    return False


def compared_with_words(source: str) -> list[str]:
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if compares_with_words(node)]


def test_states_roles_and_kinds_are_compared_with_members_of_their_enums():
    found = {name_of(path): compared_with_words(path.read_text("utf-8")) for path in FILES}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "source",
    [
        "view.state == 'sent'",
        "'admin' != operator.role",
        "col(Delivery.state) == 'sent'",
        "view.state in ('sent', 'failed')",
        "col(Delivery.state).in_(['sent'])",
        "match view.state:\n  case 'draft' | State.SENT: pass",
    ],
)
def test_a_comparison_with_a_word_is_found(source):
    assert compared_with_words(source)


@pytest.mark.parametrize(
    "source", ["view.state == State.SENT", "col(Delivery.state).in_(LIVE)", "row.name == 'sent'"]
)
def test_a_comparison_with_a_member_may_be_made(source):
    assert not compared_with_words(source)
