"""The list of messages (`messages.py`), the composer of one (`composer/`), and all that starts one
(`entry_points/`)."""
