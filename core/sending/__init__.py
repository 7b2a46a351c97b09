"""Sends what is due. To be read in this order:

1. `loop.py` turns, in a thread that core/worker.py starts; all else is what a turn does.
2. `work_snapshot.py` reads what could be sent; `claim_planner.py` decides by `timetable.py` how many messages
   each fanpage may claim now.
3. `claiming.py` claims them in one transaction: `ready_deliveries.py` finds them, `senders/` prepares them.
4. `calls/` carries them: grouped, at their moment, in threads.
5. `unsettled_outcomes.py` keeps what came back until `settling.py` has recorded it, by what `rules.py` and
   the senders decide; `claims.py` hands back what never left and takes over what a lost worker had.

`replies/` is the same for the bot's answers, which have no token. `limits/` says what holds a fanpage back:
its rate, its allowance, refusals. `sharing/` divides the fanpages among workers. `due_actions.py` is what the
clock does for broadcasts beside the sending. Why it is so: docs/decisions/0040. The states of a delivery:
core/deliveries/ledger.py.
"""
