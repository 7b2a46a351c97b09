"""The sending studio, for broadcasts that are really sent."""

from tests.sending.conftest import opt_in_states, studio, wire  # noqa: F401
