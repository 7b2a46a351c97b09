"""What the last broadcast achieved."""

from __future__ import annotations

from core.broadcasts.list_queries import list_lines
from core.broadcasts.queries import get_broadcast
from core.broadcasts.rules import BroadcastState
from core.deliveries.rules import DeliveryState
from pages.components import page_registry
from pages.components.broadcast_words import plain
from pages.components.layout import Card, cards, section
from pages.components.texts import _, number, percent, when

LOOKED_AT = 6  # of those that ended, some may never have started


def draw_last(fanpage_id: int) -> None:
    """The figures of the last one that had started."""
    lines = list_lines(
        fanpage_id, states=(BroadcastState.FINISHED, BroadcastState.CANCELLED), limit=LOOKED_AT
    )
    lines = [line for line in lines if line.started_at]
    if not lines:
        return
    section(_("What did the last broadcast achieve?"))
    view = get_broadcast(lines[0].id)
    words = _("{name} · ended {when}", name=plain(view.name), when=when(view.finished_at))
    page_registry.link("broadcast", words, icon=":material/campaign:", id=view.id)
    sent = view.counts[DeliveryState.SENT]
    cards(
        [
            Card(_("Audience"), number(view.audience)),
            Card(_share(_("Sent"), sent, view.audience), number(sent)),
            Card(_share(_("Delivered"), view.delivered, sent), number(view.delivered)),
            Card(
                _share(_("Read"), view.read, sent),
                number(view.read),
                _("As far as Messenger reports it."),
            ),
        ]
    )
    page_registry.link("broadcasts", _("All broadcasts"), icon=":material/arrow_forward:")


def _share(word: str, part: int, whole: int) -> str:
    return f"{word} · {percent(part / whole)}" if whole else word
