"""Limits of tags (pure)."""

LONGEST = 40  # characters of a tag
MOST_OF_A_FILE = 100  # different tags that one import may bring: more is another column under this name
