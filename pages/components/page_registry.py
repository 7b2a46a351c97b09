"""Every page of the panel with its section, icon, address and permission; and the way to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from core.accounts.rules import Actor, Permission
from core.errors import N_
from pages.components.markdown import escape_markdown
from pages.components.texts import _

CAMPAIGNS, AUDIENCE, SYSTEM, DEMO = N_("Campaigns"), N_("Audience"), N_("System"), N_("Demo")


@dataclass(frozen=True)
class Entry:
    """A page: where it lies, its address, its place in the menu, and who may open it."""

    folder: str  # under pages/
    url_path: str  # also the name of its file, by which AppTest and Streamlit find it before the first run
    title: str
    icon: str
    section: str
    permission: Permission = Permission.VIEW
    of_all: bool = False  # for operators of all fanpages only
    parent: str = ""  # the list from which this page is reached; it is not in the menu itself
    in_menu: bool = True  # False also for a page of no list, where nothing of the menu is marked

    def is_for(self, actor: Actor) -> bool:
        """Whether this operator may open it."""
        return actor.may(self.permission) and (actor.has_all_fanpages or not self.of_all)

    @property
    def file(self) -> str:
        """Its file under pages/."""
        return f"{self.folder}/{self.url_path}.py"


ENTRIES: tuple[Entry, ...] = (
    Entry("overview", "overview", N_("Overview"), "space_dashboard", CAMPAIGNS),
    Entry("topics", "topics", N_("OTN topics"), "label", CAMPAIGNS),
    Entry("messages", "messages", N_("Messages"), "forum", CAMPAIGNS),
    Entry("messages/composer", "message", N_("Message"), "chat", CAMPAIGNS, parent="messages"),
    Entry("messages/entry_points", "entry_points", N_("Entry points"), "login", CAMPAIGNS),
    Entry("broadcasts", "broadcasts", N_("Broadcasts"), "campaign", CAMPAIGNS),
    Entry("broadcasts/calendar", "calendar", N_("Calendar"), "calendar_month", CAMPAIGNS),
    Entry("broadcasts/detail", "broadcast", N_("Broadcast"), "campaign", CAMPAIGNS, parent="broadcasts"),
    Entry(
        "broadcasts/new",
        "new_broadcast",
        N_("New broadcast"),
        "edit_square",
        CAMPAIGNS,
        Permission.EDIT,
        parent="broadcasts",
    ),
    Entry("customers", "customers", N_("Customers"), "groups", AUDIENCE),
    Entry("customers/detail", "customer", N_("Customer"), "person", AUDIENCE, parent="customers"),
    Entry("opt_ins", "opt_ins", N_("Opt-ins"), "notifications_active", AUDIENCE),
    Entry("opt_ins/planner", "planner", N_("Opt-in planner"), "event_upcoming", AUDIENCE),
    Entry("system", "setup", N_("Set-up"), "settings", SYSTEM, Permission.ADMIN),
    Entry("testers", "testers", N_("Testers"), "science", SYSTEM, Permission.EDIT),
    Entry("system", "operators", N_("Users"), "badge", SYSTEM, Permission.ADMIN, of_all=True),
    Entry("system", "roles", N_("Roles"), "shield_person", SYSTEM),
    Entry("system", "activity", N_("Activity"), "history", SYSTEM),
    Entry("system", "events", N_("Webhook events"), "webhook", SYSTEM),
    Entry("system", "event", N_("Webhook event"), "webhook", SYSTEM, parent="events"),
    Entry("system", "health", N_("Health"), "monitor_heart", SYSTEM),
    Entry("guide", "guide", N_("Guide"), "menu_book", SYSTEM),
    Entry("account", "account", N_("My account"), "manage_accounts", SYSTEM, in_menu=False),
    Entry("demo", "phone", N_("A customer's phone"), "smartphone", DEMO, Permission.EDIT),
)
START = "start"  # the default page, which Streamlit serves at "/"
OF_NO_FANPAGE = {"account", "roles", "guide"}  # for whoever has been given no fanpage yet, too
BY_PATH = {entry.url_path: entry for entry in ENTRIES}


def declare() -> st.Page:
    """Declares every page, so that any address is known before the sign-in; returns the one asked for."""
    # Without icons: as the tab's icon, Streamlit would have the browser fetch them from Google.
    pages = [st.Page(file_of(entry), title=_(entry.title), url_path=entry.url_path) for entry in ENTRIES]
    # Streamlit serves the default page at "/" only, so the overview under its own name would not be found.
    start = st.Page(_to_overview, title=_(ENTRIES[0].title), url_path=START, default=True)
    return st.navigation([start, *pages], position="hidden")


def _to_overview() -> None:
    st.switch_page(file_of(ENTRIES[0]), query_params=st.query_params.to_dict())


def file_of(entry: Entry) -> str:
    """The file as Streamlit wants it, seen from app.py."""
    return f"pages/{entry.file}"


def asked_for(page: st.Page) -> Entry:
    """The entry of the page being run."""
    return BY_PATH.get(page.url_path, ENTRIES[0])


def go(url_path: str, **query: object) -> NoReturn:
    """Leaves for another page: `go("broadcast", id=3)`."""
    st.switch_page(file_of(BY_PATH[url_path]), query_params={k: str(v) for k, v in query.items()})


def link(url_path: str, label: str, *, icon: str | None = None, **query: object) -> None:
    """A link to another page: `link("broadcast", "Flash sale", id=3)`. Its label is no Markdown."""
    st.page_link(
        file_of(BY_PATH[url_path]),
        label=escape_markdown(label),
        icon=icon,
        query_params={k: str(v) for k, v in query.items()},
    )
