"""What /control shows of the simulated platform: fanpages, people, conversations, and its books, which are
its own record of what was issued, accepted and refused. Tests compare our ledger with them."""

from __future__ import annotations

from typing import Any

from core.simulator.entities import IssuedToken, Page, SendRecord, SimulatedPerson, ThreadMessage
from core.simulator.world import World


def read_books(world: World, page_id: str, since: float = 0, *, short: bool = False) -> dict[str, Any]:
    """The counts of a page since a time (seconds since 1970), and unless `short` every token and every send.
    Tokens are readable: this is the platform's side."""
    with world.lock:
        sends = [each for each in world.sends if each.page_id == page_id and each.at >= since]
        tokens = [each for each in world.tokens.values() if each.page_id == page_id]
    counted = _counts(sends, tokens, world.requests)
    if short:
        return counted
    return {
        **counted,
        "tokens": [vars(each) for each in tokens],
        "sends": [_shown_send(each) for each in sends],
    }


def _counts(sends: list[SendRecord], tokens: list[IssuedToken], requests: int) -> dict[str, Any]:
    accepted = [each for each in sends if each.mid is not None]
    refused: dict[str, int] = {}
    for each in sends:
        if each.mid is None:
            code = f"{each.code}/{each.subcode}" if each.subcode else str(each.code)
            refused[code] = refused.get(code, 0) + 1
    return {
        "issued": len(tokens),
        "spent": sum(1 for each in tokens if each.used_at is not None),
        "accepted": len(accepted),
        "accepted_by_token": sum(1 for each in accepted if each.token),
        "refused": refused,
        "requests": requests,
    }


def _shown_send(send: SendRecord) -> dict[str, Any]:
    return {
        "at": send.at,
        "psid": send.psid,
        "token": send.token,
        "mid": send.mid,
        "code": send.code,
        "subcode": send.subcode,
    }


def shown_message(bubble: ThreadMessage) -> dict[str, Any]:
    """A message of a thread as the control API shows it."""
    return {
        "mid": bubble.mid,
        "from": "page" if bubble.by_page else "person",
        "at": bubble.at,
        "message": bubble.message,
        "tapped": bubble.taps > 0,
        "by_token": bubble.token is not None,
    }


def shown_page(world: World, page: Page) -> dict[str, Any]:
    """A page as the control API shows it, without its secrets."""
    hidden = {"token", "app_secret", "verify_token"}
    shown = {key: value for key, value in vars(page).items() if key not in hidden}
    return {**shown, "people": world.counts[page.page_id]}


def shown_person(world: World, person: SimulatedPerson) -> dict[str, Any]:
    """A person as the control API shows them."""
    return {**vars(person), "window_open": world.now() < person.window_until}
