"""The list of customers (`customers.py`), and the page of one of them (`detail/`)."""
