"""A connection to a PostgreSQL's socket that can be frozen: neither end hears of the other or is told."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

SOCKET = ".s.PGSQL.5432"


class FrozenConnection:
    def __init__(self, server: Path) -> None:
        self._server = server / SOCKET
        self.folder = Path(tempfile.mkdtemp(prefix="otn-connection-"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._fatal: bytes | None = None

    def __enter__(self) -> FrozenConnection:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(self, *_problem: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self.folder)

    def freeze(self) -> None:
        self._loop.call_soon_threadsafe(self._flows.clear)

    def thaw(self) -> None:
        self._loop.call_soon_threadsafe(self._flows.set)

    def lose(self) -> None:
        """What is open now stays frozen for ever; what is opened from now on flows."""
        asyncio.run_coroutine_threadsafe(self._lose(), self._loop).result()

    def lose_next(self, words: bytes) -> None:
        """The connection over which these words go next stays frozen for ever; all others flow."""
        self._fatal = words

    @property
    def has_lost(self) -> bool:
        return self._fatal is None

    async def _lose(self) -> None:
        self._flows.clear()
        self._flows = asyncio.Event()
        self._flows.set()

    async def _open(self) -> None:
        self._flows = asyncio.Event()
        self._flows.set()
        self._listener = await asyncio.start_unix_server(self._join, self.folder / SOCKET)

    async def _close(self) -> None:
        """End every connection, so that none is left to the garbage collector, which would warn of it in the
        midst of another test."""
        self._listener.close()
        quiet_turns = 0  # of the event loop: what it has accepted already becomes a task some turns later
        while quiet_turns < 5:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            quiet_turns = 0 if others else quiet_turns + 1
            await asyncio.sleep(0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.ExitStack() as ends:
            ends.callback(writer.transport.abort)
            there, back = await asyncio.open_unix_connection(self._server)
            ends.callback(back.transport.abort)
            both = _Both(self._flows)
            with contextlib.suppress(asyncio.CancelledError):  # asyncio would log it as an exception of ours
                await asyncio.gather(self._pass_on(reader, back, both), self._pass_on(there, writer, both))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, both: _Both) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self._fatal and self._fatal in data:
                    self._fatal = None
                    both.flow = asyncio.Event()
                await both.flow.wait()
                writer.write(data)
                await writer.drain()
        await both.flow.wait()  # nor does anyone hear that the other end has gone
        writer.close()


@dataclass
class _Both:
    """The two directions of one connection."""

    flow: asyncio.Event
