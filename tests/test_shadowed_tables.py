"""The watch over inner queries sees what it is there for, and nothing else."""

import pytest

from tests.shadowed_tables import shadowed_tables


@pytest.mark.parametrize(
    ("statement", "shadowed"),
    [
        ("SELECT id FROM a WHERE EXISTS (SELECT b.id FROM b, a WHERE b.a_id = a.id)", {"a"}),
        (
            "SELECT EXISTS (SELECT b.id FROM b AS b_1, a WHERE b_1.a_id = a.id) FROM a AS x JOIN a ON true",
            {"a"},
        ),
        ("UPDATE a SET c = (SELECT max(b.c) FROM b, a WHERE b.a_id = a.id)", {"a"}),
        ("SELECT id FROM a WHERE EXISTS (SELECT b.id FROM b WHERE b.a_id = a.id)", set()),
        ("SELECT id FROM a WHERE id IN (SELECT b.id FROM b UNION ALL SELECT a.id FROM a)", set()),
        ("SELECT id FROM a WHERE id IN (SELECT a.id FROM a FOR NO KEY UPDATE)", set()),
        ("SELECT id FROM a WHERE id IN (SELECT a.id FROM a ORDER BY a.id, a.c)", set()),
        ("SELECT id FROM a WHERE EXISTS (SELECT a_1.id FROM b, a AS a_1 WHERE a_1.c = 'FROM b, a')", set()),
    ],
)
def test_a_table_that_is_gone_through_once_more_is_found(statement: str, shadowed: set[str]) -> None:
    assert shadowed_tables(statement) == shadowed
