"""The button that cannot be taken back: what is still missing, what it costs, and the launch."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts import actions, revisions
from core.broadcasts.drafts import Draft, find_problems
from core.broadcasts.dry_run_queries import DryRun
from core.broadcasts.queries import get_broadcast
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.fanpages.queries import FanpageView
from core.fanpages.rules import why_red
from pages.broadcasts.new import conflict, saving
from pages.broadcasts.new.approval import draw_ask, needs_another
from pages.broadcasts.people_typed import ask_number, typed_number
from pages.components.dialogs import close_dialog, confirm_buttons, dialog, open_dialog
from pages.components.draft_conflict import fields_of
from pages.components.session import Current
from pages.components.texts import _, duration, n_, when

_ASKED = "launch_asked"  # the version that was shown when the button was clicked, in the run that follows


def draw_launch(here: Current, draft: Draft, run: DryRun, fanpage: FanpageView, *, ticked: bool) -> None:
    """The button with what is still missing above it, and the dialog that asks once more."""
    stopped = bool(fanpage.stopped_code)
    missing = _red(here) or _missing(draft, run, ticked=ticked, stopped=stopped)
    if not here.actor.may(Permission.SEND):
        words = _("The draft is saved. Only a sender can send it: ask somebody with that role.")
        st.info(words, icon=":material/lock:")
        draw_ask(here, draft, missing)
        return
    if another := needs_another(here, draft, fanpage):
        st.info(another, icon=":material/lock:")
        draw_ask(here, draft, missing)
        return
    verb = _verb(draft, run)
    with st.container(key="check_launch", gap="small"):
        st.caption(missing or _("You will see one more summary before anything is sent."))
        st.button(
            verb,
            key="broadcast_launch",
            type="primary",
            icon=":material/send:" if draft.due_at is None else ":material/schedule_send:",
            disabled=bool(missing),
            width="stretch",
            on_click=_ask,
            args=(draft,),
        )
    if st.session_state.pop(_ASKED, draft.version) != draft.version:
        close_dialog("launch")  # somebody has changed it since it was shown: it is looked at anew
    dialog("launch", _question(draft), lambda: _body(here, draft, run, fanpage))


def _ask(draft: Draft) -> None:
    st.session_state[_ASKED] = draft.version
    open_dialog("launch")


def _body(here: Current, draft: Draft, run: DryRun, fanpage: FanpageView) -> None:
    st.markdown(_consequence(draft, run))
    ask_number(fanpage.launch_rules, run.eligible)
    confirm_buttons("launch", _verb(draft, run), lambda: launch(here, draft), done=_done(draft))


def _red(here: Current) -> str | None:
    """Why nothing of the fanpage may be launched, as the action itself would say."""
    fanpage = here.fanpage
    reason = why_red(fanpage.problems, otn_is_off=fanpage.otn_off_at is not None) if fanpage else None
    return _(reason) if reason else None


def _missing(draft: Draft, run: DryRun, *, ticked: bool, stopped: bool) -> str | None:
    if fields_of(conflict.KIND, draft.id):
        return _("Choose above which version to use.")
    if find_problems(draft, at=draft.due_at, now=utc_now()):
        return _("Something above still needs fixing.")
    if draft.due_at is None and stopped:
        return _("Messenger is not accepting messages from this fanpage; fix it under Set-up first.")
    if draft.due_at is None and not run.eligible:
        return _("Nobody would get it right now.")
    return None if ticked else _("Confirm above that the message keeps the promise.")


def _question(draft: Draft) -> str:
    if draft.due_at is None:
        return _("Send it now?")
    return _("Schedule it?") if draft.revises_id is None else _("Apply the changes?")


def _done(draft: Draft) -> str:
    if draft.due_at is None:
        return _("Sending has started. You can follow it here.")
    return _("Scheduled.") if draft.revises_id is None else _("Changed. It stayed scheduled the whole time.")


def _verb(draft: Draft, run: DryRun) -> str:
    if not run.eligible and draft.due_at is not None:
        return _("Schedule it") if draft.revises_id is None else _("Apply the changes")
    if draft.revises_id is not None and draft.due_at is not None:
        return n_("Apply for {n} customer", "Apply for {n} customers", run.eligible)
    if draft.due_at is None:
        return n_("Send to {n} customer now", "Send to {n} customers now", run.eligible)
    return n_("Schedule for {n} customer", "Schedule for {n} customers", run.eligible)


def _consequence(draft: Draft, run: DryRun) -> str:
    used = n_(
        "**{n} opt-in will be used and can't be taken back.** For the next broadcast this customer "
        "has to agree again.",
        "**{n} opt-ins will be used and can't be taken back.** For the next broadcast these "
        "customers have to agree again.",
        run.spends(saves_opt_ins=draft.saves_opt_ins),
    )
    if draft.due_at is None:
        pace = _(
            "It starts within seconds and takes about {time}. You can pause it, but messages "
            "already sent can't be unsent.",
            time=duration(max(1.0, run.seconds_at_rate)),
        )
        return f"{used}\n\n{pace}"
    if not run.eligible:
        used = _("As things stand, nobody would get it.")
    start = _(
        "It starts automatically {when}. Until then you can take it back; who gets it is decided "
        "at that moment.",
        when=when(draft.due_at),
    )
    return f"{start}\n\n{used}"


def launch(here: Current, draft: Draft) -> None:
    """Launch or schedule exactly the version that was shown. A second click finds it done, and changes
    nothing.

    Leaving the draft changes the page: at the next run `new_broadcast` finds that it is no draft any more and
    that this tab no longer writes it, and goes to the page of the broadcast.
    """
    now, kept, count = utc_now(), get_broadcast(draft.id), typed_number()
    if draft.revises_id is not None and get_broadcast(draft.revises_id).state == BroadcastState.SCHEDULED:
        _apply(here, draft)
        return
    is_under_way = kept.state in (BroadcastState.SCHEDULED, BroadcastState.SENDING)
    if not is_under_way or kept.approved_version != draft.version:
        if draft.due_at is None:
            actions.launch(here.actor, draft.id, version=draft.version, typed_count=count, now=now)
        else:
            at, version = draft.due_at, draft.version
            actions.schedule(here.actor, draft.id, at=at, version=version, typed_count=count, now=now)
    saving.leave()


def _apply(here: Current, draft: Draft) -> None:
    """The changes take the place of what was scheduled; the page of that one follows."""
    changed = revisions.apply(
        here.actor, draft.id, version=draft.version, typed_count=typed_number(), now=utc_now()
    )
    saving.leave()
    st.query_params.from_dict({"id": str(changed)})
