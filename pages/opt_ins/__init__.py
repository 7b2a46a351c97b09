"""The list of opt-ins (`opt_ins.py`), their imports (`imports.py`), and which will end unused
(`planner/`)."""
