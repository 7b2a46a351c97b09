"""The page of one customer: `customer.py` puts it together."""
