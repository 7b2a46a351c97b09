"""What is chosen in a list whose words change while the page is open."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st


def keep_chosen(key: str, among: Collection[object] | None = None) -> str:
    """Call this before a list of choices is drawn, with its key, which is returned.

    Streamlit's browser side knows an option by its words only. When they change ("Tết – 139 people" is 140 by
    now, a name was edited, the panel speaks another language) it would choose the first option instead. What
    is not `among` the options any more, because a colleague archived or removed it, is not chosen any more
    either: then nothing is.
    """
    if key in st.session_state:
        chosen = st.session_state[key]
        st.session_state[key] = chosen if among is None or chosen in among else None
    return key
