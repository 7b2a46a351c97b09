"""`bench …`: figures for people; never part of the tests."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.commands.input_output import Json, command, print_answer

app = typer.Typer(no_args_is_help=True, help="Benchmarks on this machine, against a stub of our own.")

URL = "OTN_BENCH_POSTGRESQL_URL"
BesideSqlite = Annotated[str | None, typer.Option(envvar=URL, help="A server to measure on, too.")]
InsteadOfSqlite = Annotated[
    str | None, typer.Option(envvar=URL, help="A server to measure on instead of SQLite.")
]
OrItsOwn = Annotated[
    str | None, typer.Option(envvar=URL, help="A server; else one of its own, where its wheel is.")
]


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
    postgresql_url: BesideSqlite = None,
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
    print_answer(as_json, figures, "\n".join(_lines(figures)))


@app.command()
@command
def launch(
    people: Annotated[
        list[int] | None, typer.Option(help="Size of the audience; may be given several times.")
    ] = None,
    postgresql_url: BesideSqlite = None,
    as_json: Json = False,
) -> None:
    """What building an audience takes."""
    from core.bench import launch as bench

    figures = bench.run(sizes=people or [10_000, 100_000, 1_000_000], postgresql_url=postgresql_url)
    print_answer(as_json, figures, table(figures["results"]))


@app.command()
@command
def ingest(
    opt_ins: Annotated[int, typer.Option(min=200, help="Distinct opt-ins sent to each server.")] = 40_000,
    to_a_body: Annotated[int, typer.Option(min=1, max=1000, help="Opt-ins in one request.")] = 1,
    connections: Annotated[int, typer.Option(min=1, help="Connections kept open.")] = 128,
    stored: Annotated[int, typer.Option(min=0, help="Events stored beforehand.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="How often our own server is measured.")] = 2,
    postgresql_url: BesideSqlite = None,
    as_json: Json = False,
) -> None:
    """Signed opt-ins made durable and applied, beside a bare handler and a commit per request."""
    from core.bench import ingest as bench

    options = bench.IngestOptions(opt_ins, to_a_body, connections, stored)
    figures = bench.run(options, postgresql_url=postgresql_url, rounds=rounds)
    print_answer(as_json, figures, table(figures["results"]))


@app.command()
@command
def answers(
    events: Annotated[int, typer.Option(help="Messages of customers per second.", min=1)] = 50,
    fanpages: Annotated[int, typer.Option(help="Fanpages they are spread over.", min=1)] = 4,
    seconds: Annotated[float, typer.Option(help="How long to send them.", min=1.0)] = 60.0,
    postgresql_url: InsteadOfSqlite = None,
    as_json: Json = False,
) -> None:
    """How soon the bot answers while broadcasts are sent, and whether once and in order."""
    from core.bench import answers as bench

    figures = bench.run(
        events_per_second=events, fanpages=fanpages, seconds=seconds, postgresql_url=postgresql_url
    )
    print_answer(as_json, figures, _listed(figures))


@app.command()
@command
def pace(
    rate: Annotated[
        list[int] | None, typer.Option(help="Messages per second; may be given several times.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to look.", min=11.0)] = 25.0,
    workers: Annotated[int, typer.Option(help="Worker processes; several need PostgreSQL.", min=1)] = 1,
    postgresql_url: InsteadOfSqlite = None,
    as_json: Json = False,
) -> None:
    """How close to its rate a real worker keeps each fanpage."""
    from core.bench import pace as bench

    figures = bench.run(
        rates=rate or [5, 25, 100, 300], seconds=seconds, workers=workers, postgresql_url=postgresql_url
    )
    print_answer(as_json, figures, table(figures["results"]))


@app.command()
@command
def panel(
    people: Annotated[
        int, typer.Option(help="Customers, each with an opt-in that is or was open.", min=200)
    ] = 1_000_000,
    broadcasts: Annotated[int, typer.Option(help="Finished broadcasts.", min=1)] = 100,
    recipients: Annotated[
        int, typer.Option(help="Of each broadcast; each had one more opt-in.", min=1)
    ] = 10_000,
    clicks: Annotated[int, typer.Option(help="Clicks on each page.", min=1)] = 20,
    viewers: Annotated[int, typer.Option(help="Viewers of a broadcast that is sending.", min=1)] = 10,
    postgresql_url: InsteadOfSqlite = None,
    as_json: Json = False,
) -> None:
    """Each page's time from the click until it is ready, in Chromium over a large audience; and what live
    viewers of a broadcast take."""
    from core.bench import panel as bench
    from core.bench.panel_fixtures import Size

    size = Size(people, broadcasts, min(recipients, people))
    figures = bench.run(size, clicks=clicks, viewers=viewers, postgresql_url=postgresql_url)
    about = {name: value for name, value in figures.items() if name != "results"}
    print_answer(as_json, figures, f"{table(figures['results'])}\n{_listed(about)}")


@app.command()
@command
def soak(
    minutes: Annotated[float, typer.Option(help="How long.", min=0.5)] = 10.0,
    customers: Annotated[float, typer.Option(help="Customers who write each second.", min=0.1)] = 5.0,
    as_json: Json = False,
) -> None:
    """Everything together with faults on: leaks, errors, and the ledger beside the platform's books."""
    from core.bench import soak as bench

    figures = bench.run(minutes=minutes, per_second=customers)
    about = {name: value for name, value in figures.items() if name != "results"}
    print_answer(as_json, figures, f"{table(figures['results'])}\n{_listed(about)}")


@app.command()
@command
def scale(
    workers: Annotated[
        list[int] | None, typer.Option(help="Worker processes; may be given several times.", min=1)
    ] = None,
    fanpages: Annotated[int, typer.Option(help="Fanpages of 300 messages per second each.", min=1)] = 16,
    seconds: Annotated[float, typer.Option(help="How long to measure each.", min=2.0)] = 10.0,
    latency: Annotated[int, typer.Option(help="Milliseconds the stub waits before it answers.")] = 200,
    postgresql_url: OrItsOwn = None,
    as_json: Json = False,
) -> None:
    """What each more worker on one PostgreSQL brings, and what it asks of the database."""
    from core.bench import scale as bench

    figures = bench.run(
        workers=workers or [1, 2, 4],
        fanpages=fanpages,
        seconds=seconds,
        latency_ms=latency,
        postgresql_url=postgresql_url,
    )
    about = {name: value for name, value in figures.items() if name != "results"}
    print_answer(as_json, figures, f"{table(figures['results'])}\n{_listed(about)}")


@app.command()
@command
def fanpages(
    fanpages: Annotated[int, typer.Option(help="How many send at the same time.", min=1)] = 200,
    rate: Annotated[int, typer.Option(help="Messages per second of each.", min=1)] = 2,
    workers: Annotated[int, typer.Option(help="Worker processes.", min=1)] = 3,
    seconds: Annotated[
        float, typer.Option(help="How long to look; 60 shows a minute, too.", min=11.0)
    ] = 25.0,
    busy: Annotated[
        int, typer.Option(help="Processes beside it that use a processor each for nothing.", min=0)
    ] = 0,
    sqlite: Annotated[bool, typer.Option("--sqlite", help="On SQLite instead of PostgreSQL.")] = False,
    postgresql_url: OrItsOwn = None,
    as_json: Json = False,
) -> None:
    """Whether each of many slow fanpages keeps its own rate, and what a message of theirs costs, as a
    multiple of one of a single fanpage at 300 a second."""
    from core.bench import fanpages as bench

    figures = bench.run(
        fanpages=fanpages,
        rate=rate,
        workers=workers,
        seconds=seconds,
        busy=busy,
        on_sqlite=sqlite,
        postgresql_url=postgresql_url,
    )
    about = {name: value for name, value in figures.items() if name not in ("results", "one_fanpage")}
    one = {f"one fanpage, {name}": value for name, value in figures["one_fanpage"].items()}
    print_answer(as_json, figures, f"{_rates(figures['results'])}\n{_listed({**one, **about})}")


def _rates(results: list[dict[str, Any]]) -> str:
    """Each fanpage's messages per second, ten to a line; a star at one that did not keep its rate."""
    is_off = [False in (each["keeps_10_s"], each["keeps_60_s"]) for each in results]
    rates = [each["messages_per_second"] for each in results]
    cells = [f"{rate:9.3f}{'*' if off else ' '}" for rate, off in zip(rates, is_off, strict=True)]
    return "\n".join("".join(cells[start : start + 10]) for start in range(0, len(cells), 10))


def _listed(figures: dict[str, Any]) -> str:
    return "\n".join(f"{name.replace('_', ' ')}: {figures[name]}" for name in figures)


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of figures under their names; what is text stands on the left."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[name.replace("_", " ") for name in names]]
    cells += [[_cell(row.get(name, "")) for name in names] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
    is_text = [isinstance(rows[0].get(name), str) for name in names]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, is_text, strict=True)
        )
        for line in cells
    )


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


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
