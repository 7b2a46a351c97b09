"""What two or more pages draw: layout, tables, texts, charts, the phone, the editor of blocks.

`page_registry.py` lists all pages, with address and permission; `session.py` says who is looking, and of
which fanpage. What only one page draws lies in that page's folder.
"""
