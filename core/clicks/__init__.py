"""Links in messages as short links of our own, and who followed them.

`short_links.py` puts them into a message that leaves, `codes.py` makes their codes, `recording.py` counts;
a customer who follows one reaches webhook_server/short_links.py.
"""
