"""The fields of each kind of entry point that is typed in the composer. `registry.py` lists them; what a
kind is otherwise: core/conversation/entry_kinds."""
