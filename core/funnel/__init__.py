"""How far requests for opt-ins lead: asked, seen, tapped, notified, read, clicked.

The worker counts by `counting.py`, the page of topics reads `queries.py`, and `rules.py` judges tests of
two wordings.
"""
