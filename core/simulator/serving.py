"""Serves the simulated world by HTTP: as a process (`serve`) or within a test (`running_simulator`)."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from core.settings import settings
from core.simulator import control, page_picture
from core.simulator.web import graph_endpoint
from core.simulator.world import World


def create_simulator_app(world: World) -> Starlette:
    """Build the application that serves a world."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        world.start()
        yield
        world.stop()

    graph = Route("/{path:path}", graph_endpoint, methods=["GET", "POST", "DELETE"])
    app = Starlette(routes=[*control.routes(), page_picture.route(), graph], lifespan=lifespan)
    app.state.world = world
    return app


def serve(port: int | None = None, *, host: str = "127.0.0.1") -> None:
    """Serve in the foreground until SIGTERM or Ctrl-C. The world is stored in the data folder."""
    world = World(str(settings().data_dir / "simulator.db"))
    chosen = settings().simulator_port if port is None else port
    world.base_url = f"http://127.0.0.1:{chosen}"
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(
            number, lambda *_: None
        )  # uvicorn raises the signal again once all is closed; that must end the process cleanly
    uvicorn.run(
        create_simulator_app(world),
        host=host,
        port=chosen,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=3,
    )


@contextlib.contextmanager
def running_simulator(world: World, port: int = 0) -> Iterator[str]:
    """Serve a world from a thread of this process while the block lasts, and give its base URL."""
    config = uvicorn.Config(
        create_simulator_app(world),
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, name="simulator", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(timeout=30):
            raise RuntimeError("the simulator did not start")
        world.base_url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield world.base_url
    finally:
        server.should_exit = True
        thread.join(timeout=30)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self.ready.set()
