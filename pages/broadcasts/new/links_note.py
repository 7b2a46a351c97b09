"""Says what becomes of the links in a broadcast: are taps on them counted, and what do customers read?"""

from __future__ import annotations

import streamlit as st

from core.broadcasts.drafts import Draft
from core.clicks.rules import PlacedLink, replace_links
from core.clicks.short_links import link_address, readable
from core.conversation.rules import render
from core.fanpages.queries import FanpageView
from pages.components.texts import _


def draw_links_note(draft: Draft, fanpage: FanpageView) -> None:
    """A line below the choices made so far, if there are links."""
    placed_links: list[PlacedLink] = []

    def keep(placed: PlacedLink) -> str:
        placed_links.append(placed)
        return placed.url

    replace_links(render(draft.content["kind"], draft.content), keep)
    if placed_links:
        st.caption(f":material/link: {_words(placed_links, link_address(is_demo=fanpage.is_demo))}")


def _words(placed_links: list[PlacedLink], address: str) -> str:
    if not address:
        return _(
            "Clicks will not be counted: this installation has no public address (OTN_PUBLIC_URL), "
            "so links are sent as written."
        )
    read = next((placed for placed in placed_links if placed.is_read), None)
    if read is None:
        return _("Clicks on links are counted, once per person.")
    return _(
        "Clicks on links are counted, once per person. Customers see `{link}` in the text and are "
        "forwarded to the address you wrote.",
        link=readable(address, "…", read.url),
    )
