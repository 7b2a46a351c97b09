"""What makes the bot send a message: a file for each kind of entry point, with all that the kind is.

`names.py` says what each is called, `kind.py` what it must know, and `registry.py` lists them. Which one an
act of a customer calls for is found by core/conversation/entry_points.py.
"""
