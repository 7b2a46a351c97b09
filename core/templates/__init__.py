"""Copies of what a broadcast or a message said, to begin another one from. Begin with `actions.py`."""
