"""How a delivery is sent: a file for each kind of message. `sender.py` says what one must know, `registry.py`
lists them.
"""
