"""The same message in further languages: a row each, which customers of that language get in its place.

A customer's language is what the platform's locale begins with (`en` of `en_US`). Whoever has another one, or
none that is known, gets the message itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core.conversation.messenger_profile.rules import LOCALES
from core.db.tables import Customer, Message
from core.errors import N_, Problem, WrongState, problem
from core.text.utf16_units import cut

LANGUAGES = tuple(dict.fromkeys(locale.partition("_")[0] for locale in LOCALES))  # that staff are offered
_CODE = re.compile("[a-z]{2,3}")
_ROOM = 8  # characters of a name that its language takes


def is_language(code: str) -> bool:
    """Whether this may be the language of a translation: `en`, `vi`, `fil`."""
    return _CODE.fullmatch(code) is not None


def name_in(name: str, language: str, limit: int) -> str:
    """The name of a translation, by which staff tell it from the message itself."""
    return f"{cut(name, limit - _ROOM)} ({language})"


def translations_of(db: Session, message_id: int) -> Sequence[Message]:
    """Its translations that are in use, whether or not they are published, in the order of their making."""
    chosen = select(Message).where(
        col(Message.translation_of_id) == message_id, col(Message.archived_at).is_(None)
    )
    return db.execute(chosen.order_by(col(Message.id))).scalars().all()


def translations_put_away(db: Session, message_id: int, at: datetime) -> Sequence[Message]:
    """The translations that were archived together with the message, at that time."""
    chosen = select(Message).where(col(Message.translation_of_id) == message_id)
    return db.execute(chosen.where(col(Message.archived_at) == at)).scalars().all()


def check_translation(db: Session, message_id: int | None) -> list[Problem]:
    """A translation is published after its message, with whose entry points it begins."""
    original = db.get(Message, message_id) if message_id is not None else None
    if original is None or original.published:
        return []
    words = N_("Publish the message in its first language before its translation.")
    return [problem("language", words)]


def refuse_without_message(db: Session, row: Message) -> None:
    """A translation comes back only to a message that is in use."""
    original = db.get(Message, row.translation_of_id) if row.translation_of_id is not None else None
    if original is not None and original.archived_at is not None:
        raise WrongState(N_("Restore the message in its first language first."))


def find_translation(db: Session, message_id: int, language: str) -> Message | None:
    """The translation of a message, also one that was put away."""
    chosen = select(Message).where(
        col(Message.translation_of_id) == message_id, col(Message.language) == language
    )
    return db.execute(chosen).scalar_one_or_none()


def languages_of(db: Session, message_ids: Sequence[int]) -> defaultdict[int, tuple[str, ...]]:
    """The languages in which some customers get these messages, by the id of the message."""
    found: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    chosen = select(col(Message.translation_of_id), col(Message.language)).where(
        col(Message.translation_of_id).in_(message_ids),
        col(Message.archived_at).is_(None),
        col(Message.published) > 0,
    )
    for message_id, language in db.execute(chosen.order_by(col(Message.id))):
        found[message_id] += (language,)
    return found


def is_translated(db: Session, message_id: int) -> bool:
    """Whether some customers get a translation of the message."""
    return db.execute(_sent(message_id).limit(1)).first() is not None


def id_for_customer(db: Session, message_id: int, customer_id: int) -> int:
    """The message, or the translation of it that this customer gets."""
    chosen = select(col(Customer.locale)).where(col(Customer.id) == customer_id)
    locale = db.execute(chosen).scalar_one_or_none()
    language = re.split("[_-]", locale or "")[0].lower()
    return id_in_language(db, message_id, language) if language else message_id


def id_in_language(db: Session, message_id: int, language: str) -> int:
    """The message, or the translation of it that customers of this language get."""
    found = db.execute(_sent(message_id).where(col(Message.language) == language)).scalar_one_or_none()
    return found or message_id


def _sent(message_id: int) -> Select[int | None]:
    return select(col(Message.id)).where(
        col(Message.translation_of_id) == message_id,
        col(Message.archived_at).is_(None),
        col(Message.published) > 0,
    )
