"""A text that may hold a customer's first name, and what stands there when the name is not known.

Its fields are `text` and `fallback`. Several kinds of blocks have such a text.
"""

from __future__ import annotations

from typing import Any

from core.conversation.blocks.kind import Content, text_in
from core.conversation.placeholders import (
    has_placeholder,
    longest_length,
    strange_placeholder,
    unnamed,
    with_fallback,
)
from core.errors import N_, Problem, problem
from core.text.normalise import is_blank, normalise_name, normalise_text


def clean_personal_text(content: Content) -> dict[str, Any]:
    """The two fields as they are kept."""
    return {
        "text": normalise_text(text_in(content, "text")),
        "fallback": normalise_name(text_in(content, "fallback")),
    }


def check_personal_text(content: Content, limit: int) -> list[Problem]:
    """What is wrong with the two fields; `limit` is the most characters that Messenger allows."""
    text, fallback = text_in(content, "text"), text_in(content, "fallback")
    if is_blank(text):
        return [problem("text", N_("Write what the customer should read."))]
    if is_blank(unnamed(text, fallback)):
        return [problem("fallback", N_("Not every customer's name is known: enter what to say instead."))]
    return check_text("text", text, fallback, limit)


def check_text(field: str, text: str, fallback: str, limit: int) -> list[Problem]:
    """What is wrong with one text that may have placeholders, or with its fallback."""
    strange = strange_placeholder(text)
    if strange:
        words = N_("{placeholder} does not work here; only {known} is replaced.")
        return [problem(field, words, placeholder=strange, known="{{first_name}}")]
    if "{" in fallback or "}" in fallback:
        return [problem("fallback", N_("Braces can't be used instead of a name."))]
    count = longest_length(text, fallback)
    if count > limit:
        words = N_("The text has {count} characters (including room for a name); Messenger allows {limit}.")
        return [problem(field, words, count=count, limit=limit)]
    return []


def warn_personal_text(content: Content) -> list[Problem]:
    """A name is put in, and nothing stands in for one that is not known."""
    text = text_in(content, "text")
    if has_placeholder(text) and not content.get("fallback") and "|" not in text:
        return [problem("fallback", N_("Not every customer's name is known: enter what to say instead."))]
    return []


def write_personal_text(content: Content) -> str:
    """The text as it is sent, the fallback written into its placeholders."""
    return with_fallback(text_in(content, "text"), text_in(content, "fallback"))
