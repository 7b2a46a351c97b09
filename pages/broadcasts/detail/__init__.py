"""The page of one broadcast: `broadcast.py` puts it together, from its numbers down to the people behind
them."""
