"""The words by which the customers of a fanpage say no: kept apart from the keywords that start messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.consent.stop_words import DEFAULT, check_stop_words, find_stop_word
from core.conversation import message_rows
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.errors import N_, NotFound, Problem, problem, refuse_invalid
from core.text.normalise import normalise_name


def set_stop_words(by: Actor, fanpage_id: int, listed: Sequence[str], *, now: datetime) -> None:
    """The words by which customers of a fanpage say no, each once."""
    kept = list({word.casefold(): word for word in map(normalise_name, listed) if word}.values())
    refuse_invalid(check_stop_words(kept))
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        fanpage = db.get(Fanpage, fanpage_id, with_for_update={"key_share": True})
        if fanpage is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        refuse_invalid(_clashes(message_rows.keywords_of(db, fanpage_id), kept))
        if kept != (fanpage.stop_words or list(DEFAULT)):
            before = fanpage.stop_words or list(DEFAULT)
            fanpage.stop_words, fanpage.updated_at = kept, now
            record(
                db,
                by,
                "fanpage.set_stop_words",
                now=now,
                fanpage_id=fanpage_id,
                subject_id=fanpage_id,
                subject=fanpage.name,
                before=before,
                after=kept,
            )


def _clashes(keywords: Mapping[str, str], kept: Sequence[str]) -> list[Problem]:
    words = N_("“{value}” is a keyword of the message “{name}”: remove it there first.")
    return [
        problem("stop_words", words, value=value, name=name)
        for value, name in keywords.items()
        if find_stop_word(value, kept)
    ]
