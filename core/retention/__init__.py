"""How long things are kept: `periods.py` lists it, `scheduled_jobs.py` deletes what is older."""
