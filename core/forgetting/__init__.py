"""Erases a person for good when they, or the law, ask for it.

`actions.py` is the way in, `erasing.py` says what goes. That nothing older brings them back is kept by
core/customers/forgotten.py.
"""
