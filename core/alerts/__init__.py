"""Tells people outside the panel what has gone wrong. `conditions.py` says what that is, `channels.py` how
it reaches them; the worker looks by `scheduled_jobs.py`."""
