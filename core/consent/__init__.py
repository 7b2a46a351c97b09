"""Consent: topics, opt-ins and their tokens, and who may get a broadcast.

`ledger.py` alone changes an opt-in's state; new ones come by `tapped_opt_ins.py` (customers) and `imports.py`
(files). `rules.py` says what an opt-in is worth and until when, `eligibility.py` who may get a broadcast
and why others do not, `withdrawals.py` whom a no applies to, `asking_rules.py` who may be asked again.
"""
