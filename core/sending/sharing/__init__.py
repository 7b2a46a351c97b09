"""Divides the fanpages among worker processes: all are ours on SQLite, slices of a queue on PostgreSQL."""
