"""The calendar of broadcasts: `calendar.py`."""
