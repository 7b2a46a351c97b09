"""Testers, who get messages on their own phones before customers do: `testers.py`."""
