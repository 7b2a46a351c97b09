"""Runs the whole product on one machine: panel, webhook server, worker, and for the demo the simulator.

Restarts what dies, ends everything on one Ctrl-C or SIGTERM. Each process logs to a file in data/logs.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from core.accounts.actions import FIRST_ADMIN, ensure_admin
from core.accounts.demo_sign_in import demo_sign_in, end_demo_sign_in
from core.backups.restored import hold_unreleased_copy
from core.clock import utc_now
from core.db import migrations
from core.db.engine import empty_log
from core.errors import N_, OperatorError
from core.fanpages.queries import list_fanpages
from core.installation import key_check
from core.installation.private_files import close_folder
from core.operations.single_instance import die_with_parent, only_run, write_note
from core.settings import settings
from core.settings_sources import HOME

START_SECONDS = 60.0
END_SECONDS = 8.0
LOG_LIMIT = 10_000_000  # bytes of one log file; the one before is kept beside it
QUICK_DEATHS = 5  # so many in a row within a minute end the attempt


@dataclass
class Child:
    """A process that the supervisor starts, and starts again when it has died."""

    name: str
    port: int | None
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    again_at: float = 0.0

    @property
    def log_file(self) -> Path:
        return settings().data_dir / "logs" / f"{self.name.replace(' ', '-')}.log"

    def start(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.rotate_log()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C reaches us alone, and we end them in order
                preexec_fn=die_with_parent,
            )

    def rotate_log(self) -> None:
        """Copy a log that has grown too long beside itself, in the place of an older copy, and empty it. The
        process goes on writing into the same file, at its end."""
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_LIMIT:
            shutil.copyfile(self.log_file, self.log_file.with_suffix(".log.1"))
            os.truncate(self.log_file, 0)

    def is_dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None


def run(*, demo: bool = False) -> None:
    """Run the whole product in the foreground until Ctrl-C or SIGTERM."""
    with only_run() as note:
        supervisor = Supervisor(demo=demo)
        supervisor.note = note
        supervisor.run()


class Supervisor:
    """Starts the processes, restarts those that die, and ends them all."""

    def __init__(self, *, demo: bool) -> None:
        close_folder(settings().data_dir)
        migrations.upgrade()
        key_check.refuse_another_key()
        hold_unreleased_copy(now=utc_now())
        self.note: Path | None = None
        self.demo = demo or all(fanpage.is_demo for fanpage in list_fanpages())
        self.children = processes_to_start(self.demo)
        self.stop = threading.Event()

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` wants it to outlive the terminal
                signal.signal(number, self._on_signal)
        _refuse_taken_ports(self.children)
        sign_in = self._sign_in()
        try:
            self._start()
            if not self.stop.is_set():
                self._welcome(sign_in)
            while not self.stop.wait(0.5):
                self._restart_the_dead()
                for child in self.children:
                    child.rotate_log()
        finally:
            self._end()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop.set()

    def _sign_in(self) -> str:
        if self.demo:
            name, password = demo_sign_in(utc_now())
            return f"sign in as {name} with " + (f"the password {password}" if password else "your password")
        end_demo_sign_in()
        password = ensure_admin(utc_now())
        if password:
            return f"sign in as {FIRST_ADMIN} with the password {password} (it is shown only this once)"
        return "sign in with your name and password"

    def _start(self) -> None:
        _say("Starting Notify Once …")
        for child in self.children:
            child.start()
        self._note_children()
        for child in self.children:
            if child.port is not None:
                self._wait_for(child, child.port)
        if self.demo and not self.stop.is_set():
            from core.demo import seed

            seed(utc_now())

    def _wait_for(self, child: Child, port: int) -> None:
        until = time.monotonic() + START_SECONDS
        while not self.stop.is_set() and not _answers(port):
            if child.is_dead() or time.monotonic() > until:
                raise OperatorError(
                    N_("{name} did not start; see {file}"), name=child.name, file=child.log_file
                )
            self.stop.wait(0.1)

    def _welcome(self, sign_in: str) -> None:
        chosen = settings()
        _say(f"\n  Panel           http://localhost:{chosen.panel_port}   {sign_in}")
        _say(f"  Webhook server  http://localhost:{chosen.webhook_port}/webhook")
        if self.demo:
            _say(f"  Simulator       http://localhost:{chosen.simulator_port}   (a simulated Messenger)")
        _say(f"  Logs            {chosen.data_dir}/logs\n\nCtrl-C stops everything.")

    def _restart_the_dead(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if not child.is_dead():
                continue
            if not child.again_at:
                child.deaths = [at for at in child.deaths if now - at < 60] + [now]
                child.again_at = now + min(2.0 ** len(child.deaths), 30)
                _say(f"The {child.name} ended unexpectedly; starting it again. See {child.log_file}")
            if len(child.deaths) >= QUICK_DEATHS:
                raise OperatorError(
                    N_("The {name} keeps stopping; see {file}"), name=child.name, file=child.log_file
                )
            if now >= child.again_at:
                child.again_at = 0.0
                child.start()
                self._note_children()

    def _note_children(self) -> None:
        if self.note:
            write_note(self.note, [child.process.pid for child in self.children if child.process])

    def _end(self) -> None:
        """End all processes. The worker has some seconds to hand back what it has claimed."""
        alive = [child.process for child in self.children if child.process and not child.is_dead()]
        if alive:
            _say("Stopping …")
        _each(alive, lambda process: process.terminate())
        until = time.monotonic() + END_SECONDS
        while any(process.poll() is None for process in alive) and time.monotonic() < until:
            time.sleep(0.05)
        _each([p for p in alive if p.poll() is None], lambda process: process.kill())
        _each(alive, lambda process: process.wait())
        empty_log()


def processes_to_start(demo: bool) -> list[Child]:
    chosen = settings()
    panel = ["-m", "streamlit", "run", str(HOME / "app.py"), "--server.headless=true"]
    panel += [f"--server.port={chosen.panel_port}", "--server.address=127.0.0.1"]
    made = [
        Child("webhook server", chosen.webhook_port, ["-m", "webhook_server"]),
        Child("worker", None, ["-m", "core", "worker"]),
        Child("panel", chosen.panel_port, panel),
    ]
    if demo:
        made.insert(0, Child("simulator", chosen.simulator_port, ["-m", "core", "simulator"]))
    return made


def _refuse_taken_ports(children: list[Child]) -> None:
    for child in children:
        if child.port is not None and _answers(child.port):
            text = N_("Port {port} is in use, so the {name} can't start; set {setting} to a free port.")
            setting = f"OTN_{child.name.split()[0].upper()}_PORT"
            raise OperatorError(text, port=child.port, name=child.name, setting=setting)


def _answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _each(processes: list[subprocess.Popen[bytes]], do: Callable[[subprocess.Popen[bytes]], object]) -> None:
    for process in processes:
        do(process)


def _say(text: str) -> None:
    """Print a line; nobody may be reading any more, which is no reason to end."""
    with suppress(OSError, ValueError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
