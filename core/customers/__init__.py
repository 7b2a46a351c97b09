"""Customers as people: what is known of one of them, and forgetting it."""
