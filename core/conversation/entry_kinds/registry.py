"""The kinds of entry points there are.

A new kind is a name in `EntryKind` (core/conversation/drafts.py), a file of this folder and a line here.
"""

from __future__ import annotations

from core.conversation.entry_kinds.asking_again import Again
from core.conversation.entry_kinds.button import Button
from core.conversation.entry_kinds.comment import Comment
from core.conversation.entry_kinds.get_started import GetStarted
from core.conversation.entry_kinds.ice_breaker import IceBreaker
from core.conversation.entry_kinds.keyword import Keyword
from core.conversation.entry_kinds.kind import ComposedKind, EntryPointKind
from core.conversation.entry_kinds.menu_item import MenuItem
from core.conversation.entry_kinds.ref import Ref
from core.conversation.entry_kinds.tapped import TappedKind
from core.conversation.entry_kinds.topic_rule import Rule

# By name, in the order in which they are asked about an act of a customer: the first that knows it wins.
KINDS: dict[str, EntryPointKind] = {
    kind.name: kind
    for kind in (
        Ref(),
        GetStarted(),
        Button(),
        MenuItem(),
        IceBreaker(),
        Again(),
        Rule(),
        Keyword(),
        Comment(),
    )
}
# Those that are typed in the composer of their message, in the order in which it shows them.
COMPOSED: dict[str, ComposedKind] = {kind.name: kind for kind in (GetStarted(), Keyword(), Ref(), Comment())}
TAPPED: tuple[TappedKind, ...] = tuple(kind for kind in KINDS.values() if isinstance(kind, TappedKind))


def written_kinds() -> list[str]:
    """The names of the kinds whose value the customer writes as a message."""
    return [name for name, kind in COMPOSED.items() if kind.is_written]
