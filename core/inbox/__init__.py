"""Takes in what Messenger sends, and applies it. To be read in this order:

1. `event_parser.py` makes events of a body, with their tokens encrypted; `forgotten_filter.py` keeps
   forgotten people out.
2. `intake.py` is the one thread that stores them in groups; `event_store.py` has the statements.
3. `processing.py` applies them in their order, by `rules.py`: `locking.py` locks what a batch may change,
   `sightings.py` adds its customers, and `effects.py` says what follows from each kind. Taps on "Notify Me"
   are applied many at once by `taps.py`, which ends in core/consent/tapped_opt_ins.py.
4. The rest is about one kind each: comments, colleagues, stop requests, other apps, notices of Meta.

Events that came before their fanpage was connected wait for it (`early_events.py`). What staff do with
events is in `actions.py`.
"""
