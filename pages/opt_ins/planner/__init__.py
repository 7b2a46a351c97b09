"""Which opt-ins end when, beside the broadcasts that are planned: `planner.py`."""
