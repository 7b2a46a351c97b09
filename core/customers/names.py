"""The name of a customer as it is shown."""

from __future__ import annotations

from core.db.tables import Customer


def full_name(customer: Customer) -> str:
    """The last name first, as Vietnamese names are written; "" while no name is known."""
    return " ".join(part for part in (customer.last_name, customer.first_name) if part)
