"""Copies of the database: made by hand and nightly, checked, and put back without sending anything twice."""
