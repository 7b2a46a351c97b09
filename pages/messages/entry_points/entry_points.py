"""Everything that starts a message: what a new chat shows, the menu, keywords, links and comments."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.conversation import entry_point_queries, queries
from core.conversation.keyword_rules import find_clashes
from core.conversation.messenger_profile.queries import get_profile
from core.conversation.messenger_profile.rows import ProfileView
from core.conversation.messenger_profile.rules import DEFAULT, LOCALES, check_profile
from core.fanpages.profile_publishing import take_over_live
from core.fanpages.queries import FanpageView
from pages.components.address import draw_no_fanpage
from pages.components.chosen import keep_chosen
from pages.components.dialogs import open_dialog
from pages.components.layout import page_header
from pages.components.session import Current, attempt, current, flash
from pages.components.styles import draw_editor_styles
from pages.components.texts import _, when
from pages.messages.entry_points import composed_entries
from pages.messages.entry_points.edited_profile import EditedProfile, open_profile, profile_of, put_profile
from pages.messages.entry_points.locale_names import locale_name
from pages.messages.entry_points.profile_form import (
    FormContext,
    edit_greeting,
    edit_ice_breakers,
    edit_menu,
)
from pages.messages.entry_points.publishing import DIALOG, draw_publish_dialog, forget_live


def draw_page() -> None:
    here = current()
    slot = page_header(
        _("Entry points"),
        _(
            "How customers reach your messages. Changes are saved at once; customers see them "
            "after you publish."
        ),
        key="entry_points",
    )
    if here.fanpage is None:
        draw_no_fanpage("entry_points")
        return
    _draw(here, here.fanpage, slot)


def _draw(here: Current, fanpage: FanpageView, slot: st.delta_generator.DeltaGenerator) -> None:
    may_edit = here.actor.may(Permission.EDIT)
    view, names = get_profile(fanpage.id), queries.message_names(fanpage.id)
    edited = open_profile(fanpage.id, view)
    problems = check_profile(profile_of(edited), names.keys())
    entries = entry_point_queries.entry_points_of(fanpage.id)
    clashes = find_clashes(composed_entries.keywords(entries))
    draw_editor_styles()
    if may_edit:
        slot.button(
            _("Publish to Facebook"),
            key="profile_publish",
            type="primary",
            icon=":material/publish:",
            on_click=_open_publishing,
        )
        draw_publish_dialog(here.actor, fanpage, names=names, problems=problems, clashes=clashes)
    _draw_state(view)
    context = FormContext(here.actor, edited, _locale(edited), names, problems, not may_edit)
    chat, menu, words, links, comments = st.tabs(
        [_("New chat"), _("Menu"), _("Keywords"), _("Links and QR codes"), _("Comments")]
    )
    with chat:
        _draw_chat(context, entries)
    with menu:
        _draw_menu(context, fanpage)
    with words:
        composed_entries.draw_keywords(fanpage.id, entries, clashes, names)
    with links:
        composed_entries.draw_links(fanpage, entries)
    with comments:
        composed_entries.draw_comments(entries)


def _open_publishing() -> None:
    forget_live()
    open_dialog(DIALOG)


def _draw_state(view: ProfileView) -> None:
    with st.container(key="profile_state", horizontal=True, vertical_alignment="center", gap="small"):
        if view.published_at is None:
            st.badge(_("Not published from here yet"), icon=":material/public_off:", color="gray")
        elif view.published_version == view.version:
            words = _("Published {when} by {who}", when=when(view.published_at), who=view.published_by)
            st.badge(words, icon=":material/public:", color="green")
        else:
            words = _("Changed since it was published {when}", when=when(view.published_at))
            st.badge(words, icon=":material/edit:", color="orange")


def _locale(edited: EditedProfile) -> str:
    """The language that is being written."""
    others = [each for each in edited["locales"] if each not in (DEFAULT, *LOCALES)]
    written = {locale for locale, one in edited["locales"].items() if any(one[k] for k in one if k != "uid")}

    def named(locale: str) -> str:
        return f"{locale_name(locale)} ✓" if locale in written else locale_name(locale)

    chosen: str = st.selectbox(
        _("Greeting, questions and menu for customers whose Facebook speaks"),
        [DEFAULT, *LOCALES, *others],
        key=keep_chosen("profile_locale"),
        format_func=named,
        width=420,
        help=_("Customers whose language is not here see what is written for everybody."),
    )
    return chosen


def _draw_chat(context: FormContext, entries: list[entry_point_queries.OwnedEntry]) -> None:
    edit_greeting(context)
    composed_entries.draw_get_started(entries)
    st.markdown(f"**{_('Suggested questions')}**")
    st.caption(
        _(
            "Up to four questions that a new chat suggests. If there are any, they replace the "
            "“Get Started” button."
        )
    )
    edit_ice_breakers(context)


def _draw_menu(context: FormContext, fanpage: FanpageView) -> None:
    st.caption(_("The menu beside the field where customers write. Facebook shows it in this order."))
    edit_menu(context)
    if not context.is_locked:
        st.button(
            _("Copy what is live on Facebook"),
            key="profile_take_over",
            icon=":material/download:",
            type="tertiary",
            help=_("Replaces the greeting, questions and menu here with those another tool has set."),
            on_click=_take_over,
            args=(context, fanpage.id),
        )


def _take_over(context: FormContext, fanpage_id: int) -> None:
    problem, found = attempt(lambda: [take_over_live(fanpage_id)])
    if found is None:
        flash(problem or "", ":material/cloud_off:")
    elif found[0] is None:
        flash(_("Nothing is live on Facebook yet."), ":material/info:")
    else:
        put_profile(context.actor, context.edited, found[0])


draw_page()
