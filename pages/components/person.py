"""A person in a row of a table; somebody who was erased has no name, no PSID and no page."""

from __future__ import annotations

from core.broadcasts.delivery_queries import DeliveryView
from core.consent.opt_in_queries import OptInView
from pages.components.tables import Two
from pages.components.texts import _


def person(row: DeliveryView | OptInView) -> Two:
    """Name and, quieter, PSID."""
    if row.customer_id is None:
        return Two(_("Erased customer"), "")
    return Two(row.customer or _("Name not known yet"), row.psid)


def page_of(row: DeliveryView | OptInView) -> str | None:
    """The address of the person's page, if there is one."""
    return None if row.customer_id is None else f"customer?id={row.customer_id}"
