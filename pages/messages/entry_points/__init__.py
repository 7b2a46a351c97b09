"""The page of all that starts a message: `entry_points.py` puts it together from the Messenger profile
(`profile_form.py`) and what stands on messages (`composed_entries.py`)."""
