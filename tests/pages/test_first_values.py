"""The browser is told what a field shows, also after a run that was cut short or a step drawn out of sight.
`set_value` is what Streamlit tells it by; what AppTest calls `value` the server alone may know."""

from __future__ import annotations

from datetime import timedelta

from streamlit.testing.v1 import AppTest

from core.clock import utc_now
from tests.pages.broadcasts import TEXT, a_draft, put


def _cut_short_while_asked_to() -> None:
    import streamlit as st

    from pages.components import first_values

    first_values.begin_run()
    first_values.show_first("word", "kept")
    st.text_input("Word", key="word")
    if not st.session_state.get("cut"):
        first_values.end_run()


def test_a_value_is_told_again_until_a_run_has_come_to_its_end() -> None:
    at = AppTest.from_function(_cut_short_while_asked_to)
    at.session_state["cut"] = True
    at.run()
    at.run()
    assert (at.text_input[0].proto.set_value, at.text_input[0].value) == (True, "kept")
    at.text_input[0].input("typed").run()
    assert (at.text_input[0].proto.set_value, at.text_input[0].value) == (True, "typed")
    at.session_state["cut"] = False
    at.run()
    at.run()
    assert (at.text_input[0].proto.set_value, at.text_input[0].value) == (False, "typed")


def _cut_short_between_two_fields() -> None:
    import streamlit as st

    from pages.components import first_values

    run = st.session_state["run"] = st.session_state.get("run", 0) + 1
    first_values.begin_run()
    first_values.show_first("one", "kept")
    st.text_input("One", key="one")
    if run == 2:
        st.stop()
    first_values.show_first("two", "kept, too")
    st.text_input("Two", key="two")
    if run > 2:
        first_values.end_run()


def test_a_field_that_a_second_run_did_not_come_to_is_told_again_in_the_third() -> None:
    at = AppTest.from_function(_cut_short_between_two_fields).run()
    at.session_state["two"] = "kept, too"  # Streamlit itself forgets no field when a run is cut short
    at.run()
    at.session_state["two"] = "kept, too"
    at.run()
    assert [(field.proto.set_value, field.value) for field in at.text_input] == [
        (True, "kept"),
        (True, "kept, too"),
    ]


def test_the_steps_of_a_draft_show_what_is_kept_when_one_comes_back_to_them(panel, topic_id) -> None:
    draft_id = a_draft(topic_id)
    put(draft_id, due_at=utc_now() + timedelta(days=1))
    at = panel("new_broadcast", role="sender", id=draft_id, step="what")
    at.button(key="step_when").click().run()
    at.button(key="step_what").click().run()
    text = at.text_area[0].proto
    assert (text.set_value, text.value) == (True, TEXT["text"])
    at.button(key="step_when").click().run()
    start = at.radio(key=f"broadcast_{draft_id}_start")
    assert (start.proto.set_value, start.value) == (True, "later")
