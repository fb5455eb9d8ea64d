"""Owns what a very first start insists on reaching: a proxy that answers every HTTPS request itself.

Claude Code with an empty HOME asks its vendor's own hosts whether it is online, whatever base URL it
was given. `Onboarding.env` sends it here, with a certificate of our own that it is told to trust.
"""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = "DNS:*.anthropic.com,DNS:*.claude.com,DNS:*.claude.ai,DNS:claude.ai"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


class Onboarding:
    """`asked` is what came, as `HOST:PORT METHOD PATH`."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = folder / "onboarding.pem", folder / "onboarding.key"
        _make_certificate(self.certificate, key)
        self.asked: list[str] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def env(self) -> Mapping[str, str]:
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        return {
            "HTTPS_PROXY": url,
            "HTTP_PROXY": url,
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
        }

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            client.settimeout(10)
            host = _head(client).split(" ")[1]
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._context.wrap_socket(client, server_side=True) as inner:
                method, path, *_ = _head(inner).split(" ")
                self.asked.append(f"{host} {method} {path}")
                inner.sendall(ANSWER)


@contextlib.contextmanager
def onboarding(folder: Path) -> Iterator[Onboarding]:
    """Needs openssl."""
    made = Onboarding(folder)
    try:
        yield made
    finally:
        made.close()


def _head(connection: socket.socket) -> str:
    """The first line of a request."""
    read = b""
    while b"\r\n\r\n" not in read:
        more = connection.recv(4096)
        if not more:
            raise ConnectionResetError
        read += more
    return read.split(b"\r\n", 1)[0].decode("latin-1")


def _make_certificate(certificate: Path, key: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=stand-in", "-addext", f"subjectAltName={NAMES}"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, capture_output=True, check=True, timeout=30)
