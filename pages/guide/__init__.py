"""The guide for staff, docs/guide, as a page of the panel: `guide.py`."""
