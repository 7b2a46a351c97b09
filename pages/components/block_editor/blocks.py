"""The blocks of a message, each in a card with its fields; +OTNR asks "notify me?" about a topic."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.consent.rules import TITLE_LIMIT
from core.conversation.kinds import STOP_ALL, STOP_PAYLOAD
from core.conversation.rendering import has_placeholder
from core.conversation.rules import TEXT_MOST, BlockKind, check_block, warn_message
from core.errors import N_
from core.messenger import wire
from pages.components import navigation
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Block, Draft
from pages.components.block_editor.fields import advice, bound, chosen, complaints, counter
from pages.components.block_editor.rows import Around as Around
from pages.components.block_editor.rows import add_row, edit_row, small_button
from pages.components.texts import _

KINDS: dict[str, tuple[str, str]] = {
    BlockKind.TEXT: (N_("Text"), "notes"),
    BlockKind.IMAGE: (N_("Image"), "image"),
    BlockKind.BUTTONS: (N_("Buttons"), "smart_button"),
    BlockKind.QUICK_REPLIES: (N_("Quick replies"), "quickreply"),
    BlockKind.OTNR: ("OTNR", "notification_add"),
}


def edit_blocks(draft: Draft, around: Around) -> None:
    """Every block in its card. The draft holds what was typed once this returns."""
    for place, block in enumerate(draft["blocks"]):
        with st.container(key=f"block_{block['uid']}_card", border=True, gap="small"):
            _card_head(draft, place, block, around.locked)
            _EDITORS[block["kind"]](block, around)
            _say(draft, place)


def add_buttons(draft: Draft) -> None:
    with st.container(key="block_add", horizontal=True, gap="small"):
        for kind, (word, _icon) in KINDS.items():
            st.button(
                _(word),
                key=f"block_add_{kind}",
                icon=":material/add:",
                on_click=drafts.add_block,
                args=(draft, kind),
            )


def _card_head(draft: Draft, place: int, block: Block, locked: bool) -> None:
    word, icon = KINDS[block["kind"]]
    key, last = f"block_{block['uid']}", len(draft["blocks"]) - 1
    with st.container(key=f"{key}_head", horizontal=True, vertical_alignment="center", gap="small"):
        full = _("Ask for an opt-in (OTNR)") if block["kind"] == BlockKind.OTNR else _(word)
        st.markdown(f":material/{icon}: **{full}**", width="stretch")
        with st.container(key=f"{key}_tools", horizontal=True, width="content", gap="small"):
            for name, sign, label, stuck, change in (
                ("up", "arrow_upward", _("Move up"), place == 0, (drafts.move_block, (draft, place, -1))),
                (
                    "down",
                    "arrow_downward",
                    _("Move down"),
                    place == last,
                    (drafts.move_block, (draft, place, 1)),
                ),
                ("remove", "delete", _("Remove"), False, (drafts.remove_block, (draft, place))),
            ):
                small_button(f"{key}_{name}", sign, label, locked or stuck, *change)


def _say(draft: Draft, place: int) -> None:
    """Advice as soon as there is something to advise on; complaints only once saving was tried."""
    blocks = drafts.blocks_of(draft)
    block = blocks[place]
    if draft["tried"]:
        complaints(check_block(block.kind, block.content, topic_id=block.topic_id))
    advice([one for one in warn_message(blocks) if one.field.startswith(f"blocks.{place}.")])


def _edit_words(block: Block, around: Around, limit: int, label: str) -> None:
    key = f"block_{block['uid']}"
    bound(
        st.text_area,
        block,
        "text",
        label,
        f"{key}_text",
        height="content",
        disabled=around.locked,
        placeholder=_("Hello {{first_name}}, …"),
        label_visibility="collapsed",
    )
    with st.container(key=f"{key}_under", horizontal=True, vertical_alignment="center"):
        st.button(
            _("Insert the customer's name"),
            key=f"{key}_name",
            icon=":material/person_add:",
            type="tertiary",
            disabled=around.locked,
            on_click=_insert_name,
            args=(f"{key}_text",),
        )
        counter(block["text"], limit, block.get("fallback") or "")
    if has_placeholder(block["text"]):
        bound(
            st.text_input,
            block,
            "fallback",
            _("When the name is unknown, say"),
            f"{key}_fallback",
            disabled=around.locked,
            placeholder=_("you"),
            live=True,
        )


def _insert_name(key: str) -> None:
    text = st.session_state.get(key, "")
    st.session_state[key] = f"{text}{' ' if text and not text[-1].isspace() else ''}{{{{first_name}}}}"


def _edit_text(block: Block, around: Around) -> None:
    _edit_words(block, around, TEXT_MOST, _("Text"))


def _edit_image(block: Block, around: Around) -> None:
    bound(
        st.text_input,
        block,
        "url",
        _("Web address of the picture"),
        f"block_{block['uid']}_url",
        disabled=around.locked,
        placeholder="https://…/anh.jpg",
        help=_("Messenger fetches the picture from this address: it must be public (JPG, PNG or GIF)."),
        live=True,
    )


def _edit_buttons(block: Block, around: Around) -> None:
    _edit_words(block, around, wire.BUTTON_TEXT_LIMIT, _("Text above the buttons"))
    stops: dict[int | str, str] = {STOP_ALL: _("Stop all notifications")}
    stops |= {id_: _("Stop: {topic}", topic=name) for id_, name in around.topics.items()}
    targets: dict[int | str, str] = {0: _("Open a web address")}
    targets |= dict(around.messages.items())
    targets |= {f"{STOP_PAYLOAD}{what}": words for what, words in stops.items()}
    for place, row in enumerate(block["rows"]):
        edit_row(block, place, around, targets, wire.BUTTON_TITLE_LIMIT)
        if not row["message_id"]:
            bound(
                st.text_input,
                row,
                "url",
                _("Web address"),
                f"row_{row['uid']}_url",
                disabled=around.locked,
                placeholder="https://",
                label_visibility="collapsed",
                live=True,
            )
    add_row(block, around, wire.BUTTONS_LIMIT, _("Add a button"))


def _edit_replies(block: Block, around: Around) -> None:
    _edit_words(block, around, TEXT_MOST, _("Text above the quick replies"))
    for place in range(len(block["rows"])):
        edit_row(block, place, around, dict(around.messages.items()), wire.QUICK_REPLY_TITLE_LIMIT)
    add_row(block, around, wire.QUICK_REPLIES_LIMIT, _("Add a quick reply"))


def _edit_otnr(block: Block, around: Around) -> None:
    key = f"block_{block['uid']}"
    bound(
        st.text_input,
        block,
        "title",
        _("What will you tell them about? This is your promise"),
        f"{key}_title",
        disabled=around.locked,
        placeholder=_("Tell me when the spring roses arrive"),
        live=True,
    )
    counter(block["title"], TITLE_LIMIT)
    if around.topics:
        label, hint = _("OTN topic"), _("Choose a topic")
        chosen(
            block, "topic_id", label, f"{key}_topic", around.topics, disabled=around.locked, placeholder=hint
        )
    else:
        st.info(_("An OTNR belongs to a topic, and there is none yet."), icon=":material/label:")
        navigation.link("topics", _("Create a topic"), icon=":material/add:")
    st.caption(
        _(
            "Facebook writes the button “Notify Me” itself, in each customer's own language; "
            "it cannot be changed."
        )
    )
    bound(
        st.text_area,
        block,
        "after",
        _("Answer after the tap (optional)"),
        f"{key}_after",
        height="content",
        disabled=around.locked,
        placeholder=_("Thank you! We will write to you once, about exactly this."),
    )


_EDITORS: dict[str, Callable[[Block, Around], None]] = {
    BlockKind.TEXT: _edit_text,
    BlockKind.IMAGE: _edit_image,
    BlockKind.BUTTONS: _edit_buttons,
    BlockKind.QUICK_REPLIES: _edit_replies,
    BlockKind.OTNR: _edit_otnr,
}


def edit_block(block: Block, around: Around) -> None:
    """The fields of a single block without its card, for pages that write just one."""
    _EDITORS[block["kind"]](block, around)


def typed_words(block: Block) -> str:
    """What its fields say, also what was typed since they were last drawn: to be copied where they are not
    drawn any more. The block keeps it, for Streamlit forgets a field that is not drawn."""
    holders = [(block, f"block_{block['uid']}"), *((row, f"row_{row['uid']}") for row in block["rows"])]
    said = []
    for holder, key in holders:
        for field in ("text", "fallback", "title", "url"):
            holder[field] = st.session_state.get(f"{key}_{field}", holder.get(field))
            said.append(holder[field])
    return "\n".join(word for word in said if word)
