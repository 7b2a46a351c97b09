"""Who signs in to the panel, and what they may do.

`rules.py` has roles and permissions, `session_rules.py` how long a session lasts; every action
of every room begins with `authorise` of `authorising.py` and ends with a line of `activity_log.py`.
`actions.py` is what admins do with operators;
`sign_in.py`, `sessions.py` and `second_factor.py` are the way in, `single_sign_on/` is the other way.
"""
