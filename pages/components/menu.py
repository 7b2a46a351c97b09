"""Every page of the panel: its section, icon, address, and the permission it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from core.accounts.rules import Actor, Permission
from core.errors import N_
from pages.components.texts import _

CAMPAIGNS, AUDIENCE, SYSTEM, DEMO = N_("Campaigns"), N_("Audience"), N_("System"), N_("Demo")


@dataclass(frozen=True)
class Entry:
    file: str  # under pages/
    url_path: str
    title: str
    icon: str
    section: str
    permission: Permission = Permission.VIEW
    parent: str = ""  # the list from which this page is reached; it is not in the menu itself


ENTRIES: tuple[Entry, ...] = (
    Entry("campaigns/overview.py", "overview", N_("Overview"), "space_dashboard", CAMPAIGNS),
    Entry("campaigns/topics.py", "topics", N_("OTN topics"), "label", CAMPAIGNS),
    Entry("campaigns/messages.py", "messages", N_("Messages"), "forum", CAMPAIGNS),
    Entry("campaigns/message.py", "message", N_("Message"), "chat", CAMPAIGNS, parent="messages"),
    Entry("campaigns/broadcasts.py", "broadcasts", N_("Broadcasts"), "campaign", CAMPAIGNS),
    Entry("campaigns/broadcast.py", "broadcast", N_("Broadcast"), "campaign", CAMPAIGNS, parent="broadcasts"),
    Entry(
        "campaigns/new_broadcast.py",
        "new_broadcast",
        N_("New broadcast"),
        "edit_square",
        CAMPAIGNS,
        Permission.EDIT,
        parent="broadcasts",
    ),
    Entry("audience/customers.py", "customers", N_("Customers"), "groups", AUDIENCE),
    Entry("audience/customer.py", "customer", N_("Customer"), "person", AUDIENCE, parent="customers"),
    Entry("audience/opt_ins.py", "opt_ins", N_("Opt-ins"), "notifications_active", AUDIENCE),
    Entry("system/setup.py", "setup", N_("Set-up"), "settings", SYSTEM, Permission.ADMIN),
    Entry("system/operators.py", "operators", N_("Users"), "badge", SYSTEM, Permission.ADMIN),
    Entry("system/activity.py", "activity", N_("Activity"), "history", SYSTEM),
    Entry("system/health.py", "health", N_("Health"), "monitor_heart", SYSTEM),
    Entry("demo/phone.py", "phone", N_("A customer's phone"), "smartphone", DEMO, Permission.EDIT),
)
BY_PATH = {entry.url_path: entry for entry in ENTRIES}


def declare() -> st.Page:
    """Declares every page, so that any address is known before the sign-in; returns the one asked for."""
    # Without icons: as the tab's icon, Streamlit would have the browser fetch them from Google.
    pages = [st.Page(_file(entry), title=_(entry.title), url_path=entry.url_path) for entry in ENTRIES]
    # Streamlit serves the default page at "/" only, so the overview under its own name would not be found.
    start = st.Page(_to_overview, title=_(ENTRIES[0].title), url_path="start", default=True)
    return st.navigation([start, *pages], position="hidden")


def _to_overview() -> None:
    st.switch_page(_file(ENTRIES[0]), query_params=st.query_params.to_dict())


def show(actor: Actor, here: Entry, *, with_demo: bool) -> None:
    """The menu's sections with the pages this operator may open."""
    for section in dict.fromkeys(entry.section for entry in ENTRIES):
        shown = [e for e in ENTRIES if e.section == section and not e.parent and actor.may(e.permission)]
        if not shown or (section == DEMO and not with_demo):
            continue
        with st.container(key=f"menu_{section.lower()}", gap=None):
            st.caption(_(section))
            for entry in shown:
                with st.container(
                    key="menu_here" if entry.url_path in (here.url_path, here.parent) else None, gap=None
                ):
                    st.page_link(
                        _file(entry), label=_(entry.title), icon=f":material/{entry.icon}:", width="stretch"
                    )


def _file(entry: Entry) -> str:
    return f"pages/{entry.file}"


def asked_for(page: st.Page) -> Entry:
    """The entry of the page being run."""
    return BY_PATH.get(page.url_path, ENTRIES[0])


def go(url_path: str, **query: object) -> NoReturn:
    """Leaves for another page: `go("broadcast", id=3)`."""
    st.switch_page(_file(BY_PATH[url_path]), query_params={k: str(v) for k, v in query.items()})


def link(url_path: str, label: str, *, icon: str | None = None, **query: object) -> None:
    """A link to another page: `link("broadcast", "Flash sale", id=3)`."""
    st.page_link(
        _file(BY_PATH[url_path]),
        label=label,
        icon=icon,
        query_params={k: str(v) for k, v in query.items()},
    )
