"""What of a page Streamlit renders as Markdown, read from its AppTest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message as Proto

# Streamlit shows these as they are. In a radio button and in pills options are Markdown.
_PLAIN = {
    "value",
    "raw_value",
    "default",
    "id",
    "placeholder",
    "raw_values",
    "url",
    "url_path",
    "page_script_hash",
    "set_value",
}
_PLAIN_KINDS = {
    "html",
    "text",
    "code",
    "json",
    "iframe",
    "bidi_component",
    "arrow_data_frame",
    "vega_lite_chart",
}
_PLAIN_OPTIONS = {"selectbox", "multiselect"}


def rendered(at: Any) -> Iterator[tuple[str, str]]:
    """(where, text) of everything that Streamlit renders as Markdown, or might."""
    waiting = [at.main.root]
    while waiting:
        node = waiting.pop()
        waiting += getattr(node, "children", {}).values()
        proto = getattr(node, "proto", None)
        if proto is not None and node.type not in _PLAIN_KINDS:
            yield from _texts(proto, node.type, node.type)


def _texts(proto: Proto, where: str, kind: str) -> Iterator[tuple[str, str]]:
    for field, value in proto.ListFields():
        if field.name in _PLAIN or field.name in _PLAIN_KINDS:
            continue
        if field.name == "options" and kind in _PLAIN_OPTIONS:
            continue
        place = f"{where}.{field.name}"
        many = value if field.is_repeated else [value]
        for each in many:
            if isinstance(each, str):
                yield place, each
            elif isinstance(each, Proto):
                yield from _texts(each, place, kind)
