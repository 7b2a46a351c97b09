"""Deliveries: one message of a broadcast to one customer, and what is known of it.

`ledger.py` alone changes a delivery's state; `rules.py` has the states and what a verdict says. `closing.py`
ends what is still queued of a broadcast. `attempts.py` keeps what did not go well at once, `evidence.py` what
echoes, delivery and read events prove, `answers.py` who answered. `breaker.py` judges by `recent_outcomes.py`
whether too many are refused alike, `failure_rules.py` whether a broadcast fares badly.
"""
