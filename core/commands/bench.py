"""`bench …`: figures for people; never part of the tests."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.commands.answers import Json, answer, command

app = typer.Typer(no_args_is_help=True, help="Benchmarks on this machine, against a stub of our own.")


@app.command()
@command
def send(
    messages: Annotated[int, typer.Option(help="Messages of the batching contenders.")] = 40_000,
    latency: Annotated[int, typer.Option(help="Milliseconds the stub waits before it answers.")] = 0,
    peers_python: Annotated[
        str | None, typer.Option(help="A Python that has the public clients; else .venv-peers.")
    ] = None,
    node_modules: Annotated[
        str | None, typer.Option(help="A folder that has messaging-api-messenger; else .venv-peers.")
    ] = None,
    postgresql_url: Annotated[
        str | None,
        typer.Option(envvar="OTN_BENCH_POSTGRESQL_URL", help="A server to measure the ledger on, too."),
    ] = None,
    as_json: Json = False,
) -> None:
    """The whole sending path beside our client alone, bare requests and public clients."""
    from core.bench import send as bench

    figures = bench.run(
        messages=messages,
        latency_ms=latency,
        peers_python=peers_python,
        node_modules=node_modules,
        postgresql_url=postgresql_url,
    )
    answer(as_json, figures, "\n".join(_lines(figures)))


def _lines(figures: dict[str, Any]) -> list[str]:
    lines = [f"{'':44}{'messages/s':>12}{'CPU s/1,000':>14}{'peak MB':>10}"]
    for row in figures["results"]:
        if "missing" in row:
            lines.append(f"{row['name']:44}  {row['missing']}")
            continue
        lines.append(
            f"{row['name']:44}{row['messages_per_second']:>12,}{row['cpu_seconds_per_1000']:>14.4f}"
            f"{row['peak_mb']:>10}"
        )
    lines += [f"{key.replace('_', ' ')}: {figures[key]}" for key in figures if key not in ("results",)]
    return lines
