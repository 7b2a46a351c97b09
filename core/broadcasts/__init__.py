"""Broadcasts: from a draft to their results. To be read in this order:

1. A draft is written in `drafts.py` by `draft_rules.py`, and launched or scheduled in `actions.py`;
   `readiness.py` and `launch_checks.py` say what is in the way.
2. The worker finds by `due.py` what is to be done and does it with `scheduled_jobs.py` (start, end,
   finish), `audience_builder.py` (a delivery and a reserved opt-in for each customer) and `canary.py`. It
   calls them from core/sending/due_actions.py; core/sending then sends the deliveries.
3. `transitions.py` alone changes a broadcast's state.
4. `results.py` says what a broadcast achieves, `result_counting.py` counts it, `retry.py` does what staff
   may do afterwards.
"""
