import pytest

from core.accounts import passwords


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of 4 rounds instead of 12, where a test is not about hashing."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)
    passwords._dummy_hash.cache_clear()
