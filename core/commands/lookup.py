"""Finds the fanpage or topic that a person named on the command line."""

from __future__ import annotations

from core.consent import queries as consent
from core.errors import Invalid, NotFound, problem
from core.fanpages import queries as fanpages
from core.fanpages.queries import FanpageView
from core.text.identifiers import read_id


def fanpage_named(given: str | None) -> FanpageView:
    """Find a fanpage by its page id or our own number; without either, the only one that is not
    the demo's."""
    known = fanpages.list_fanpages()
    if given:
        for fanpage in known:
            if read_id(given) in (fanpage.page_id, str(fanpage.id)):
                return fanpage
        raise NotFound("No fanpage has the id {id}; `fanpage check` lists them.", id=given)
    real = [f for f in known if not f.is_demo] or known
    if not real:
        raise NotFound("No fanpage is connected yet; run: python -m core fanpage connect")
    if len(real) > 1:
        raise Invalid([problem("fanpage", "Several fanpages are connected; name one with --fanpage ID.")])
    return real[0]


def topic_named(name: str, fanpage: str | None) -> tuple[int, FanpageView]:
    """Find a topic by its name or number, on the named fanpage or on the only one that has it."""
    candidates = [fanpage_named(fanpage)] if fanpage else _all_fanpages()
    found = [(topic_id, f) for f in candidates if (topic_id := consent.find_topic(f.id, name))]
    if len(found) > 1:
        real = [pair for pair in found if not pair[1].is_demo]
        if len(real) != 1:
            text = "Several fanpages have the topic {name}; name one with --fanpage ID."
            raise Invalid([problem("topic", text, name=name)])
        return real[0]
    if not found:
        raise NotFound("There is no topic called {name}; `topic list` shows them.", name=name)
    return found[0]


def _all_fanpages() -> list[FanpageView]:
    known = fanpages.list_fanpages()
    if not known:
        raise NotFound("No fanpage is connected yet; run: python -m core fanpage connect")
    return known
