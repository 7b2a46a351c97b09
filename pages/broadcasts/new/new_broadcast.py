"""A broadcast from the first thought to the launch: who, what, when, check. Kept as a draft all along."""

import streamlit as st

from core.broadcasts import actions
from core.broadcasts.drafts import Draft, get_draft
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.consent.queries import get_topic_name
from core.errors import NotFound
from core.fanpages.queries import FanpageView, get_fanpage
from core.templates.rules import TemplateKind
from core.testers.rules import About
from pages.broadcasts.new import check, saving, steps, what, who
from pages.broadcasts.new import when as when_step
from pages.components import first_values, page_registry
from pages.components.address import asked_id, draw_no_fanpage, draw_not_there
from pages.components.dialogs import confirm, open_dialog
from pages.components.layout import page_header
from pages.components.markdown import escape_markdown
from pages.components.session import Current, current, see_fanpage
from pages.components.styles import draw_broadcast_styles
from pages.components.templates import draw_save_button
from pages.components.test_dialog import draw_test_button, draw_test_dialog
from pages.components.texts import _, state_label


def draw_page() -> None:
    here = current()
    draft = _asked_draft()
    steps.drop_idle_move(draft)
    if draft is not None:
        see_fanpage(draft.fanpage_id)
        fanpage = get_fanpage(draft.fanpage_id)
        draft = _leave_step(here, fanpage, draft)
    elif here.fanpage is not None:
        fanpage = here.fanpage
    else:
        page_header(_("New broadcast"), _("One message to everybody who agreed to a topic."), key="draft")
        draw_no_fanpage("draft")
        return
    draw_broadcast_styles()
    _header(here, draft)
    step = steps.asked_step(draft)
    steps.draw_steps(step, draft)
    if draft is not None:
        saving.enter(draft, step)
        saving.draw_conflict(here, draft)
        if draft.state != BroadcastState.DRAFT:
            _no_draft_any_more(draft)
    _draw(here, fanpage, step, draft)
    if draft is not None:
        draw_test_dialog(About.BROADCAST, draft.id, draft.fanpage_id)
        steps.draw_nav(step)


def _leave_step(here: Current, fanpage: FanpageView, draft: Draft) -> Draft:
    """Saves the step that a button leads away from; the run then draws the next one.

    Only a field that is drawn says what was typed in it, so those of the step are drawn out of sight.
    """
    place = st.empty()
    if not steps.is_moving():
        return draft
    step = steps.asked_step(draft)
    with place.container(key="step_left"):
        saving.enter(draft, step)
        _draw(here, fanpage, step, draft)
    if saving.is_refused():
        steps.move_on(refused=True)
        st.rerun()  # a field can be drawn only once in a run, and now it is to be seen, with the reason
    # Before the address changes: a run that is cut short after that would keep what nobody was shown.
    first_values.forget([f"broadcast_{draft.id}_", "block_", "row_"], but=[f"broadcast_{draft.id}_zone"])
    steps.move_on(refused=False)
    place.empty()
    return get_draft(draft.id)


def _asked_draft() -> Draft | None:
    """The draft in the address; what is no draft any more is shown where it is watched."""
    broadcast_id = asked_id()
    if broadcast_id is None:
        return None
    try:
        draft = get_draft(broadcast_id)
    except NotFound:
        steps.drop_idle_move(None)
        draw_not_there(_("This draft does not exist (any more)."), "broadcasts", _("All broadcasts"))
        what.draw_written(broadcast_id)
        st.stop()
    if draft.state != BroadcastState.DRAFT and not saving.is_open(draft.id):
        page_registry.go("broadcast", id=draft.id)
    return draft


def _no_draft_any_more(draft: Draft) -> None:
    """What is being written in this tab stays to be read, though it cannot be saved."""
    state = state_label("broadcast", draft.state)[0].lower()
    st.warning(
        _(
            "In the meantime this broadcast has become “{state}”, so it can't be changed here. "
            "What you have just written is not in it; copy it from here if you need it.",
            state=state,
        ),
        icon=":material/lock:",
    )
    page_registry.link(
        "broadcast", _("See the broadcast as it is"), icon=":material/arrow_forward:", id=draft.id
    )


def _header(here: Current, draft: Draft | None) -> None:
    page_registry.link("broadcasts", _("All broadcasts"), icon=":material/arrow_back:")
    if draft is None:
        page_header(
            _("New broadcast"), _("Choose who gets it; after that it is saved as a draft."), key="draft"
        )
        return
    if draft.state != BroadcastState.DRAFT:
        page_header(
            escape_markdown(draft.name),
            _("This is no longer a draft: nothing written here is saved."),
            key="draft",
        )
        return
    slot = page_header(escape_markdown(draft.name), _what_it_is(draft), key="draft")
    with slot:
        draw_test_button()
        draw_save_button(here, TemplateKind.BROADCAST, draft.id, draft.name)
    slot.button(
        _("Delete draft…"),
        key="draft_delete",
        icon=":material/delete:",
        type="tertiary",
        on_click=open_dialog,
        args=("draft_delete",),
    )
    confirm(
        "draft_delete",
        _("Delete this draft?"),
        _("Nothing was sent, and no opt-in was used. A deleted draft can't be recovered."),
        _("Delete"),
        lambda: _delete(here, draft),
        done=_("The draft is deleted."),
    )


def _what_it_is(draft: Draft) -> str:
    if draft.revises_id is None:
        return _("Draft. Everything you write is saved as you go.")
    return _(
        "Changes to a scheduled broadcast. It starts as it was approved until you apply them under “Check”."
    )


def _delete(here: Current, draft: Draft) -> None:
    actions.delete_draft(here.actor, draft.id, version=draft.version, now=utc_now())
    saving.leave()
    st.query_params.clear()


def _draw(here: Current, fanpage: FanpageView, step: str, draft: Draft | None) -> None:
    if draft is None or step == "who":
        who.draw(here, fanpage, draft)
        return
    match step:
        case "what":
            what.draw(here, draft, fanpage.name)
        case "when":
            when_step.draw(here, draft, fanpage)
        case _:
            check.draw(here, draft, get_topic_name(draft.topic_id), fanpage)


draw_page()
