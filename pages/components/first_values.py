"""What a field shows when it appears.

Streamlit tells the browser of a value in session state only in the run that put it there. When the next click
cuts that run short, the browser draws the field with the widget's own default and later sends that back as if
it had been typed. So a value counts as shown only once a run has come to its end; until then it is put again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

_PUT = "first_values_put"  # keys put since a run came to its end
_AGAIN = "first_values_again"  # those that were put before this run


def begin_run() -> None:
    """Call it before anything is drawn."""
    # Noted before it is dropped: also here a run may be cut short.
    st.session_state[_AGAIN] = st.session_state.get(_AGAIN, set()) | st.session_state.get(_PUT, set())
    st.session_state.pop(_PUT, None)


def end_run() -> None:
    """Call it when everything is drawn: the browser has all of it."""
    st.session_state.pop(_PUT, None)
    st.session_state.pop(_AGAIN, None)


def show_first(key: str, value: object) -> None:
    """Give the field of that key its first value; what somebody has typed in it stays."""
    is_new = key not in st.session_state
    if is_new or key in st.session_state.get(_AGAIN, ()):
        put(key, value if is_new else st.session_state[key])


def put(key: str, value: object) -> None:
    """Have the field of that key show this, whatever it showed before."""
    st.session_state.setdefault(_PUT, set()).add(key)  # first, since a run may be cut short in between
    st.session_state[key] = value


def forget(beginnings: Sequence[str], *, but: Collection[str] = ()) -> None:
    """Forget what fields show whose keys begin so, except for those keys: they were drawn out of sight, which
    tells the browser nothing, and shall show what is kept when they are seen next."""
    for key in [str(key) for key in st.session_state if str(key).startswith(tuple(beginnings))]:
        if key not in but:
            del st.session_state[key]
