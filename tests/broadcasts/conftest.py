"""The sending studio, for broadcasts that are really sent."""

import pytest

from core.broadcasts import gathering
from tests.sending.conftest import Studio, opt_in_states, studio, wire  # noqa: F401


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "FIRST", 3)
    monkeypatch.setattr(gathering, "PART", 2)
    monkeypatch.setattr(gathering, "PART_ALONE", 2)
    monkeypatch.setattr(gathering, "REST_SECONDS", 0.0)


@pytest.fixture
def started(studio: Studio, small_parts: None) -> int:  # noqa: F811
    """A broadcast to eight people, three of whom have their delivery."""
    studio.people(8)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id
