"""The fanpages that are connected: their set-up, health, limits and connection to Messenger.

`actions.py` connects one, `connection.py` is how the others reach Messenger. What can be wrong is in
`rules.py` and `set_up_findings.py`, found by `health_check.py` and `installation_checks.py`, and shown
part by part by `set_up_rules.py`.
"""
