"""`rekey` and `accept-key`: the key by which an installation's secrets are sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.commands.input_output import Json, database_command, print_answer, read_line
from core.errors import OperatorError
from core.installation import key_check, rekeying
from core.installation.rekeying import RekeyResult
from core.settings import read_secret_file, settings


@database_command
def rekey(
    to: Annotated[
        str | None,
        typer.Option(metavar="-", help="Only with OTN_SECRET_KEY: read the new key from standard input."),
    ] = None,
    former: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With the new key in its place already: the file of the one until now."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Seal everything under a new secret key, while nothing runs; repeat it if it was interrupted.

    A key that is refused as guessable: put it into a file, the new one in its place (OTN_SECRET_KEY; or move
    secret.key away, and a new one is made), and give --former FILE.
    """
    if to not in (None, "-"):
        raise OperatorError("A key on a command line is seen by others; write --to - and type or pipe it.")
    if to and former:
        raise OperatorError("With --former the new key is in its place already; leave out --to.")
    if former:
        done = rekeying.rekey_from(COMMAND_LINE, read_secret_file(former), now=utc_now())
    else:
        done = rekeying.rekey(COMMAND_LINE, new_key=read_line().strip() if to else None, now=utc_now())
    document = {"sealed": done.sealed, "closed": done.closed, "key_in_file": done.is_in_file}
    print_answer(as_json, document, _text(done, former))


def _text(done: RekeyResult, former: Path | None) -> str:
    folder = settings().data_dir
    lines = [f"{done.sealed:,} secrets are sealed under the new key."]
    if done.closed:
        lines.append(f"{done.closed:,} could not be opened by the former key either; they stay closed.")
    if former:
        lines.append(
            f"Keep a copy of the new key, apart from your backups. Backups from before need {former}; delete "
            "it, and them, as soon as you can: whoever guesses it opens them."
        )
    elif done.is_in_file:
        lines.append(
            f"The new key is in {folder}/{rekeying.FILE}: keep a copy of it, apart from your backups. The "
            f"former one is in {folder}/{rekeying.FILE}.until-…: backups from before need it; delete it when "
            "you keep none of them."
        )
    else:
        lines.append(
            "Now set OTN_SECRET_KEY to the new key for every process. Keep the former one as long as you "
            "keep a backup from before."
        )
    return "\n".join([*lines, "Start everything again; everybody signs in anew."])


@database_command
def accept_key(
    forgotten_may_return: Annotated[
        bool,
        typer.Option(help="Give up the list of forgotten people, if OTN_APP_SECRET does not open it."),
    ] = False,
    used_may_return: Annotated[
        bool,
        typer.Option(help="Give up by what used tokens are known again, if OTN_APP_SECRET does not open it."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make this process's key the installation's, when the former one is lost for good."""
    again = key_check.accept_key(
        COMMAND_LINE,
        now=utc_now(),
        forgotten_may_return=forgotten_may_return,
        used_may_return=used_may_return,
    )
    said = "This key is the installation's now. What the former one sealed stays closed: opt-ins collected "
    said += f"until now cannot be used, and {again} fanpages must be connected again. Restart every process."
    print_answer(as_json, {"accepted": True, "connect_again": again}, said)
