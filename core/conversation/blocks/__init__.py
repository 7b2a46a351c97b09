"""What a message consists of: a file for each kind of block, with all that the kind is.

`kind.py` says what a kind must know and `registry.py` lists them. The other files are what several kinds
share: texts with a name in them, buttons, cards, links.
"""
