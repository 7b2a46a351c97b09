"""Who may do what: roles, permissions, and the actor that every write names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import N_, NotAllowed


class Role(StrEnum):
    VIEWER = "viewer"
    EDITOR = "editor"
    SENDER = "sender"
    ADMIN = "admin"


class Permission(StrEnum):
    VIEW = "view"  # read everything but secrets
    EDIT = "edit"  # topics, messages, drafts, imports
    SEND = "send"  # launch, schedule, pause, resume, cancel, settle what is in doubt
    ADMIN = "admin"  # operators, fanpages, settings


_RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.SENDER: 2, Role.ADMIN: 3}
_NEEDS = {Permission.VIEW: 0, Permission.EDIT: 1, Permission.SEND: 2, Permission.ADMIN: 3}


@dataclass(frozen=True)
class Actor:
    """Who asks for a write: an operator, or the machine itself (`SYSTEM`)."""

    id: int | None
    name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        return _RANK[Role(self.role)] >= _NEEDS[permission]

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise NotAllowed(
                N_("Your role ({role}) does not include this; ask an admin."), role=str(self.role)
            )


SYSTEM = Actor(id=None, name="system", role=Role.ADMIN)
COMMAND_LINE = Actor(id=None, name="command line", role=Role.ADMIN)
