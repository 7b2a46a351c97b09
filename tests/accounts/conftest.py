import pytest

from core.accounts import passwords, queries
from core.accounts.queries import OperatorView


def operator(operator_id: int) -> OperatorView:
    [found] = [each for each in queries.list_operators() if each.id == operator_id]
    return found


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of 4 rounds instead of 12, where a test is not about hashing."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)
    passwords.placeholder_hash.cache_clear()
