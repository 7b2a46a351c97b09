"""Customers: their names, the marks on those who cannot be reached, and who was forgotten."""
