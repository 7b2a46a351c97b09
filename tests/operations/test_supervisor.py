"""What the supervisor starts is there."""

from core.operations import supervisor


def test_the_panel_is_started_from_a_file_that_exists():
    assert (supervisor.HOME / "app.py").is_file()
