"""Divides the fanpages among the worker processes: all are ours on SQLite, slices of a queue on PostgreSQL."""
