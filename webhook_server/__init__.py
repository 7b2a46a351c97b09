"""The webhook server: what Messenger sends is stored before it is answered.

`__main__.py` starts it and `application.py` builds its routes. A webhook goes through `webhook_endpoint.py`
(body, signature, answer) to the writer thread of core/inbox/intake.py, which stores it with
core/inbox/processing.py. What the events mean is for core/inbox to say.
"""
