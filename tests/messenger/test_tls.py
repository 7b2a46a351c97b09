"""Calls to the platform go out only to a server that proves who it is."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.messenger.errors import NextStep
from core.messenger.transport import HttpAnswer, NoAnswer, Transport


class Polite(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Of a server by that name, vouching for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    shown, kept = folder / f"{name}.pem", folder / f"{name}.key"
    shown.write_bytes(made.public_bytes(pem))
    plain = serialization.NoEncryption()
    kept.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return shown, kept


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], tuple[str, Path]]]:
    servers: list[HTTPServer] = []

    def _serve(name: str) -> tuple[str, Path]:
        shown, kept = certificate(tmp_path, name)
        server = HTTPServer(("127.0.0.1", 0), Polite)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown, kept)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"https://localhost:{server.server_port}", shown

    yield _serve
    for server in servers:
        server.shutdown()
        server.server_close()


def asked(url: str) -> HttpAnswer | NoAnswer:
    transport = Transport(url, connect_timeout=5, read_timeout=5, pool_size=2)
    try:
        return transport.call("GET", f"{url}/v26.0/me", headers={})
    finally:
        transport.close()


def test_a_server_that_is_vouched_for_is_asked(serve, monkeypatch) -> None:
    url, shown = serve("localhost")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shown))
    answer = asked(url)
    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.body) == (200, b"{}")


def test_one_that_nobody_vouches_for_gets_nothing(serve, monkeypatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    url, _ = serve("localhost")
    answer = asked(url)
    assert isinstance(answer, NoAnswer)
    assert (answer.step, answer.reason) == (NextStep.NOT_SENT, "not_connected")


def test_one_that_is_vouched_for_under_another_name_gets_nothing(serve, monkeypatch) -> None:
    url, shown = serve("graph.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shown))
    answer = asked(url)
    assert isinstance(answer, NoAnswer)
    assert (answer.step, answer.reason) == (NextStep.NOT_SENT, "not_connected")
