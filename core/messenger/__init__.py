"""The only code that talks to the Graph API, and the form of all that comes from it. It knows no feature.

Out: `client.py` sends what `wire.py` has built, by `transport.py`; `send_responses.py` reads what came
back and `errors.py` says what we do about a refusal. In: `webhook_body.py` takes a webhook apart into
events, of the kinds of `event_kinds.py`; `event_contents.py` reads them.
"""
