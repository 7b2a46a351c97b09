"""The imports of a fanpage: how far they are, what became of them, and undoing one."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.import_queries import ImportView, list_imports
from core.consent.import_runs import undo_import
from core.consent.rules import ImportState
from pages.components.dialogs import confirm, open_dialog
from pages.components.markdown import escape_markdown
from pages.components.session import current
from pages.components.texts import _, duration, n_, number, when
from pages.opt_ins.import_result import rejected_rows, said

NEWS_FOR = timedelta(hours=1)  # after its end an import stands above the list, later in the folded part
_EVERY = 1.0


def draw_imports(fanpage_id: int) -> None:
    """What is under way redraws itself, here and wherever one comes back to the page."""
    shown = list_imports(fanpage_id)
    if not shown:
        return
    under_way = [each.id for each in shown if each.is_under_way]
    if under_way:
        st.fragment(_draw_under_way, run_every=_EVERY)(fanpage_id, under_way)
    ended = [each for each in shown if not each.is_under_way]
    since = utc_now() - NEWS_FOR
    for each in ended:
        if each.ended_at and each.ended_at > since:
            _draw_ended(fanpage_id, each)
    earlier = [each for each in ended if not each.ended_at or each.ended_at <= since]
    if earlier:
        with st.expander(_("Earlier imports"), icon=":material/history:"):
            for each in earlier:
                _draw_ended(fanpage_id, each)


def _draw_under_way(fanpage_id: int, drawn: list[int]) -> None:
    current()
    shown = [each for each in list_imports(fanpage_id) if each.is_under_way]
    if [each.id for each in shown] != drawn:
        st.rerun(scope="app")
    for each in shown:
        with st.container(key=f"import_{each.id}", border=True):
            st.progress(min(1.0, each.done / each.rows) if each.rows else 0.0, text=_how_far(each))
            st.caption(_("You can leave this page: the import continues."))


def _how_far(shown: ImportView) -> str:
    name = _about(shown)
    if shown.state == ImportState.WAITING:
        return _("{file}: waiting for the worker", file=name)
    if not shown.rows:
        return _("{file}: reading the file", file=name)
    count = _("{done} of {people} done", done=number(shown.done), people=number(shown.rows))
    left = shown.seconds_left(utc_now())
    time_left = f" · {_('about {time} left', time=duration(max(1.0, left)))}" if left is not None else ""
    return f"{name}: {count}{time_left}"


def _about(shown: ImportView) -> str:
    """As Markdown reads it: file and topic may be called anything."""
    return f"{escape_markdown(shown.file_name)} → {escape_markdown(shown.topic)}"


def _draw_ended(fanpage_id: int, shown: ImportView) -> None:
    with st.container(key=f"import_{shown.id}", border=True, gap="xsmall"):
        st.markdown(f"{_icon(shown)} {_about(shown)} · {when(shown.ended_at)} · {escape_markdown(shown.by)}")
        st.caption(" · ".join(_outcome(shown)))
        with st.container(horizontal=True):
            _rejected(fanpage_id, shown)
            _undo(shown)


def _icon(shown: ImportView) -> str:
    if shown.state == ImportState.FAILED:
        return ":red[:material/error:]"
    return ":material/undo:" if shown.state == ImportState.UNDONE else ":green[:material/check_circle:]"


def _outcome(shown: ImportView) -> list[str]:
    if shown.state == ImportState.FAILED:
        return [escape_markdown(said(each)) for each in shown.problems]
    lines = [
        n_("{n} opt-in imported", "{n} opt-ins imported", shown.imported),
        _("{n} already there", n=number(shown.duplicates)),
        _("{n} can't be read", n=number(shown.rejected_count)),
    ]
    return [*lines, _("undone")] if shown.state == ImportState.UNDONE else lines


def _rejected(fanpage_id: int, shown: ImportView) -> None:
    if not shown.rejected:
        return
    rows = [(row, said(each)) for row, each in shown.rejected]
    rejected_rows(f"import_{shown.id}_rejected", _("Rows that can't be read"), fanpage_id, rows)


def _undo(shown: ImportView) -> None:
    by = current().actor
    if shown.state != ImportState.DONE or not shown.imported or not by.may(Permission.EDIT):
        return
    key = f"import_{shown.id}_undo"
    st.button(_("Undo…"), key=key, type="tertiary", icon=":material/undo:", on_click=open_dialog, args=(key,))
    confirm(
        key,
        _("Undo this import?"),
        n_(
            "{n} opt-in from this file will be removed. This is possible as long as no broadcast "
            "is holding or has used it.",
            "{n} opt-ins from this file will be removed. This is possible as long as no broadcast "
            "is holding or has used any of them.",
            shown.imported,
        ),
        _("Undo the import"),
        lambda: undo_import(by, shown.id, now=utc_now()),
        done=_("The import is undone."),
    )
