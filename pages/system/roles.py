"""What each role may do, by the table that the actions are tested against."""

from core.accounts.capabilities import CAPABILITIES, roles_that_may
from core.accounts.rules import Permission, Role
from pages.components.layout import page_header
from pages.components.tables import Column, table
from pages.components.texts import _, state_label


def draw_page() -> None:
    page_header(_("Roles"), _("What each role may do. An admin gives the roles under Users."), key="roles")
    rows = [(_(words), roles_that_may(permission)) for words, permission, _actions in CAPABILITIES]
    columns = [Column(_("What"), lambda row: row[0], "48%"), *map(_column, Role)]
    table(columns, [*rows, (_("Export lists as files"), roles_that_may(Permission.EDIT))], key="roles")


def _column(role: Role) -> Column:
    return Column(state_label("role", role)[0], lambda row: _cell(role, row))


def _cell(role: Role, row: tuple[str, list[Role]]) -> str:
    if role in row[1]:
        return f"✓ {_('yes')}"
    return _("if granted") if row[0] == _("Export lists as files") else "–"


draw_page()
