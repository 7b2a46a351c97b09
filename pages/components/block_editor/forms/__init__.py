"""The fields of each kind of block. `form.py` says what a form gets, `registry.py` lists them; what a kind
is otherwise: core/conversation/blocks."""
