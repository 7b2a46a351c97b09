"""Customers: their names, the marks on those who cannot be reached, and who was forgotten.

`unreachable_marks.py` alone writes the marks, `forgotten.py` knows who must not come back. The list of
customers, with what each agreed to and was sent, is read in core/consent/customer_queries.py.
"""
