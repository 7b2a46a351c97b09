"""The list of broadcasts (`broadcasts.py`), and a folder for each page about them: `new/` writes and
launches one, `detail/` shows one, `calendar/` shows when what goes out."""
