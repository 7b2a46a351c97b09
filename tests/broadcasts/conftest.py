"""The sending studio, for broadcasts that are really sent."""

import pytest

from core.broadcasts import audience_builder
from tests.sending.conftest import Studio, call_threads, opt_in_states, studio  # noqa: F401


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience_builder, "FIRST_CHUNK", 3)
    monkeypatch.setattr(audience_builder, "CHUNK", 2)
    monkeypatch.setattr(audience_builder, "CHUNK_ALONE", 2)
    monkeypatch.setattr(audience_builder, "REST_SECONDS", 0.0)


@pytest.fixture
def started(studio: Studio, small_parts: None) -> int:  # noqa: F811
    """A broadcast to eight people, three of whom have their delivery."""
    studio.people(8)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id
