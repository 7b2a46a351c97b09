"""The page that the panel opens with: `overview.py` puts it together from what deserves attention today."""
