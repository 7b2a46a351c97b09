"""Moves a running SQLite installation to an empty PostgreSQL: `python -m core move`."""
