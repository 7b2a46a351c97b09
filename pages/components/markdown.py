"""Markdown, which Streamlit reads in most of what it shows."""

from __future__ import annotations


def escape_markdown(text: str) -> str:
    """Names and customers' words as they are written, wherever Markdown is read."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~:$" else sign for sign in text)
