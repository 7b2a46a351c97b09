"""Runs a hypothesis state machine against this test's database."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from core.broadcasts import audience_builder


def build_in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few people are then enough for an audience of several chunks."""
    for name, value in (("FIRST_CHUNK", 2), ("CHUNK", 1), ("CHUNK_ALONE", 1), ("REST_SECONDS", 0.0)):
        monkeypatch.setattr(audience_builder, name, value)


def run_histories(machine: type[RuleBasedStateMachine], *, examples: int, steps: int) -> None:
    """`examples` histories of at most `steps` steps each; a database takes as long as it takes."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
