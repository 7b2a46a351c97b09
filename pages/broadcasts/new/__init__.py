"""A broadcast from the first thought to the launch: `new_broadcast.py` puts it together from the steps
`who.py`, `what.py`, `when.py` and `check.py`; `saving.py` keeps the draft, `launch.py` launches it."""
