"""Writes blocks, in messages and in broadcasts: `blocks.py` draws them, `forms/` has the fields of each
kind, `draft.py` what was typed, `preview.py` the phone beside it."""
