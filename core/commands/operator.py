"""`operator …`: people who sign in to the panel."""

from __future__ import annotations

from typing import Annotated

import typer

from core.accounts import actions, queries, second_factor, unlocking
from core.accounts.rules import COMMAND_LINE
from core.accounts.single_sign_on import linking
from core.clock import utc_now
from core.commands.input_output import Json, database_command, print_answer, read_line
from core.commands.lookup import fanpage_named
from core.errors import Invalid, problem
from core.fanpages.queries import get_fanpage

FanpageIds = Annotated[
    list[str] | None,
    typer.Option("--fanpage", metavar="ID", help="Page id of one of theirs; give it several times."),
]

app = typer.Typer(no_args_is_help=True, help="People who sign in to the panel.")


@app.command()
@database_command
def unlock(
    name: Annotated[str, typer.Argument(help="Who cannot sign in.")] = "",
    address: Annotated[
        str, typer.Option(metavar="IP", help="Instead of a name: everybody at this address.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Forget failed sign-ins, so that whoever is locked out may try again at once: those of an operator and
    of the addresses where they have signed in within a month, or those from one address."""
    if bool(name) == bool(address):
        raise Invalid([problem("name", "Name who cannot sign in, or give --address IP.")])
    if name:
        count = unlocking.unlock(COMMAND_LINE, name, now=utc_now())
    else:
        count = unlocking.unlock_address(COMMAND_LINE, address, now=utc_now())
    said = f"{name or 'Whoever is at ' + address} may sign in again."
    print_answer(as_json, {"forgotten_attempts": count}, said)


@app.command("reset-password")
@database_command
def reset_password(
    name: str,
    without_second_factor: Annotated[
        bool, typer.Option("--without-second-factor", help="They have lost the telephone, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give an operator a fresh password, which is shown once and has to be changed within a week.

    Their sessions end, and their failed sign-ins are forgotten, as by `operator unlock`.
    """
    found = queries.get_operator_named(name)
    password = actions.reset_password(COMMAND_LINE, found.id, now=utc_now())
    if without_second_factor:
        second_factor.disable_of(COMMAND_LINE, found.id, now=utc_now())
    said = f"The password of {found.name} is now: {password}\nIt must be changed within a week."
    print_answer(as_json, {"name": found.name, "password": password}, said)


@app.command()
@database_command
def unlink(name: str, as_json: Json = False) -> None:
    """Take the company account of single sign-on from an operator. Where they may have one, a fresh password
    is shown, once, which has to be changed within a week.

    Their sessions end; name, role, fanpages and history stay. Whoever comes with that account next is new.
    """
    found = queries.get_operator_named(name)
    password = linking.unlink(COMMAND_LINE, found.id, now=utc_now())
    said = f"{found.name} has no company account any more, and keeps the role {found.role}.\n"
    said += (
        f"The password of {found.name} is now: {password}\nIt must be changed within a week."
        if password
        else f"{found.name} has no way in: passwords are for admins here (OTN_PASSWORD_SIGN_IN)."
    )
    print_answer(as_json, {"name": found.name, "password": password, "role": found.role}, said)


@app.command()
@database_command
def add(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, editor, sender or admin.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
    fanpage: FanpageIds = None,
    as_json: Json = False,
) -> None:
    """Make an operator, of all fanpages unless some are named.

    The password comes on standard input, never as an argument.
    """
    if not password_stdin:
        raise Invalid([problem("password", "Pass --password-stdin and give the password on standard input.")])
    password = read_line()
    ids = _ids(fanpage) if fanpage else None
    made = actions.add_operator(COMMAND_LINE, name, role, password, fanpage_ids=ids, now=utc_now())
    print_answer(
        as_json, {"id": made.id, "name": made.name, "role": made.role}, f"{made.name} is {made.role}."
    )


@app.command()
@database_command
def fanpages(
    name: str,
    fanpage: FanpageIds = None,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="All fanpages, also those connected later.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Limit an operator to some of the fanpages, or give them all."""
    if all_of_them == bool(fanpage):
        raise Invalid([problem("fanpages", "Name the fanpages with --fanpage ID, or give --all.")])
    found = queries.get_operator_named(name)
    ids = _ids(fanpage) if fanpage else None
    actions.limit_to_fanpages(COMMAND_LINE, found.id, ids, now=utc_now())
    page_ids = [] if ids is None else [get_fanpage(each).page_id for each in ids]
    said = f"{found.name} has all fanpages." if ids is None else f"{found.name} has {', '.join(page_ids)}."
    print_answer(as_json, {"name": found.name, "all": ids is None, "fanpages": page_ids}, said)


def _ids(given: list[str]) -> list[int]:
    return sorted({fanpage_named(each).id for each in given})
