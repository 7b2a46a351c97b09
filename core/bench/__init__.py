"""Benchmarks, for people: `python -m core bench NAME`. Never part of the tests, never against Facebook."""
