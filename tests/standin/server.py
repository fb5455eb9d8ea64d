"""Owns the stand-in's HTTP server: one process, a space of its own for each test.

`http://127.0.0.1:PORT/s/NAME` is the base URL of the space NAME, for every vendor; OpenAI's clients
want `/v1` behind it. From outside the process a space is told what to do by
`PUT /_admin/NAME {"steps": […], "default": …, "side": "main"}` (POST appends), read by GET, and its
hanging answers end by `POST /_admin/NAME/release`.
"""

import gzip
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from snakepit import clock
from tests.standin import gemini
from tests.standin.dialect import Dialect, Json, new_id, with_calls
from tests.standin.messages import Messages
from tests.standin.openai import Chat, Responses
from tests.standin.presets import PRESETS
from tests.standin.space import Asked, Space
from tests.standin.steps import Fault, Step

ENDPOINTS: tuple[tuple[re.Pattern[str], Dialect], ...] = (
    (re.compile(r"/v1/messages$"), Messages()),
    (re.compile(r"/chat/completions$"), Chat()),
    (re.compile(r"/responses$"), Responses()),
    (re.compile(r":(stream)?[gG]enerateContent$"), gemini.Gemini()),
)
COUNT = re.compile(r"/count_tokens$|:countTokens$")
SPACE = re.compile(r"^/s/([^/]+)(/.*)$")
MODELS = ("claude-standin", "gpt-standin", "gemini-standin")


class Standin:
    """Serves until `close`; `log` gets a line of JSON for each request."""

    def __init__(self, port: int = 0, *, log: Path | None = None) -> None:
        self.log = log
        self._lock = threading.Lock()
        self._spaces: dict[str, Space] = {}
        self._server = _Server(port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def calls(self) -> int:
        return sum(space.calls for space in self.spaces())

    def url(self, name: str = "default") -> str:
        return f"http://127.0.0.1:{self.port}/s/{name}"

    def space(self, name: str = "default") -> Space:
        with self._lock:
            return self._spaces.setdefault(name, Space(name))

    def spaces(self) -> list[Space]:
        with self._lock:
            return list(self._spaces.values())

    def note(self, space: Space, asked: Asked) -> None:
        space.note(asked)

    def write_log(self, space: Space, asked: Asked) -> None:
        if self.log is not None:
            line = json.dumps({"space": space.name, **asked.to_json()}) + "\n"
            with self._lock, self.log.open("a", encoding="utf-8") as log:
                log.write(line)

    def wait(self) -> None:
        self._thread.join()

    def close(self) -> None:
        for space in self.spaces():
            space.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, standin: Standin) -> None:
        self.standin = standin
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "standin"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        if self.path.startswith("/_admin"):
            return self._tell()
        space, path = self._place()
        self._other(space, path)
        if re.search(r"/models\b", path):
            return self._json(200, _models())
        return self._nothing(path)

    def do_PUT(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        raw = self._read()
        body = _parse(raw)
        if self.path.startswith("/_admin/"):
            return self._admin(body)
        space, path = self._place()
        if COUNT.search(path):
            self._other(space, path)
            size = max(1, len(raw) // 4)
            return self._json(200, {"input_tokens": size, "totalTokens": size})
        dialect = next((dialect for found, dialect in ENDPOINTS if found.search(path)), None)
        if dialect is None:
            self._other(space, path)
            return self._nothing(path)
        return self._model(space, dialect, path, body, len(raw))

    # What the model says ------------------------------------------------------------------------

    def _model(self, space: Space, dialect: Dialect, path: str, body: Json, size: int) -> None:
        talk = dialect.read(body)
        named = re.search(r"/models/([^:/]+):", path)
        asked = Asked(
            at=clock.wall(),
            path=path,
            kind="main" if talk.tools or space.side == "main" else "side",
            dialect=dialect.name,
            model=str(body.get("model") or (named[1] if named else "")),
            stream=bool(body.get("stream")) or "streamGenerateContent" in path,
            talk=talk,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            size=size,
        )
        self.server.standin.note(space, asked)
        try:
            self._answer(space, dialect, asked)
        except (BrokenPipeError, ConnectionResetError):
            asked.gone = True
            self.close_connection = True
        finally:
            self.server.standin.write_log(space, asked)

    def _answer(self, space: Space, dialect: Dialect, asked: Asked) -> None:
        try:
            step = self._step(space, dialect, asked)
        except Exception as error:
            asked.answered = f"no step: {error}"
            return self._json(400, {"error": {"message": asked.answered, "type": "stand-in"}})
        asked.answered = step.name or ("tool" if step.calls else "text")
        asked.status = 200
        if step.close:
            self.close_connection = True
            return None
        if step.hang == "connect":
            return self._hang(space)
        self._pause(space, step.first_delay)
        if step.fault:
            return self._fault(asked, dialect.fault(int(clock.wall()), step), step)
        if step.hang != "headers" and not asked.stream:
            return self._json(200, dialect.whole(step, asked.model), step.headers)
        return self._stream(space, dialect, asked, step)

    def _step(self, space: Space, dialect: Dialect, asked: Asked) -> Step:
        if asked.kind == "main":
            return with_calls(space.take(asked), asked.talk.tools)
        if dialect.name == "gemini" and "json" in json.dumps(asked.body.get("generationConfig")):
            return Step(name="side", text=gemini.side_answer(dict(asked.body)))
        return PRESETS["side"]

    def _fault(self, asked: Asked, fault: Fault, step: Step) -> None:
        asked.status = fault.status
        self._json(fault.status, fault.body, {**fault.headers, **step.headers})

    def _stream(self, space: Space, dialect: Dialect, asked: Asked, step: Step) -> None:
        kind = {"content-type": "text/event-stream; charset=utf-8", "connection": "close"}
        self._head(200, {**kind, **step.headers})
        self.close_connection = True
        self.wfile.flush()
        if step.hang:
            return self._hang(space)
        if step.garbage_after == 0:
            return self._send(dialect.garbage().data)
        deltas = 0
        for frame in dialect.frames(step, asked.model):
            self._send(frame.data)
            if not frame.is_delta:
                continue
            deltas += 1
            self._pause(space, step.chunk_delay)
            if deltas == step.hang_after:
                return self._hang(space)
            if deltas == step.drop_after:
                return None
            if deltas == step.garbage_after:
                return self._send(dialect.garbage().data)
            if deltas == step.error_after:
                return self._send(dialect.error_frame().data)
        return None

    def _hang(self, space: Space) -> None:
        """Hold the connection until released, or until the client goes away."""
        released = space.released
        self.connection.settimeout(0.1)
        while not released.wait(0.1):
            try:
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    raise ConnectionResetError
            except TimeoutError:
                pass
        self.close_connection = True

    @staticmethod
    def _pause(space: Space, seconds: float) -> None:
        if seconds:
            space.released.wait(seconds)

    # From outside the process --------------------------------------------------------------------

    def _tell(self) -> None:
        standin = self.server.standin
        parts = self.path.strip("/").split("/")
        if len(parts) == 1:
            names = sorted(space.name for space in standin.spaces())
            return self._json(200, {"spaces": names, "presets": sorted(PRESETS)})
        space = standin.space(parts[1])
        requests = [asked.to_json() for asked in space.asked]
        told = {"steps_left": space.left(), "calls": space.calls, "requests": requests}
        return self._json(200, told)

    def _admin(self, body: Json) -> None:
        parts = self.path.strip("/").split("/")
        space = self.server.standin.space(parts[1])
        if parts[2:] == ["release"]:
            space.release()
            return self._json(200, {"ok": True})
        if self.command == "PUT":
            space.clear()
        try:
            space.then(*body.get("steps", []))
            if "default" in body:
                space.always(body["default"])
        except (KeyError, TypeError, ValueError) as error:
            return self._json(400, {"error": str(error)})
        space.side = str(body.get("side", space.side))
        return self._json(200, {"ok": True, "steps_left": space.left()})

    # The wire ------------------------------------------------------------------------------------

    def _place(self) -> tuple[Space, str]:
        found = SPACE.match(self.path)
        name, path = (found[1], found[2]) if found else ("default", self.path)
        return self.server.standin.space(name), path.partition("?")[0]

    def _other(self, space: Space, path: str) -> None:
        asked = Asked(at=clock.wall(), path=path, kind="other")
        self.server.standin.note(space, asked)
        self.server.standin.write_log(space, asked)

    def _read(self) -> bytes:
        if "chunked" not in (self.headers.get("transfer-encoding") or ""):
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        else:
            raw = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        packed = "gzip" in (self.headers.get("content-encoding") or "")
        return gzip.decompress(raw) if packed else raw

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        named = {"request-id": new_id("req_"), "x-request-id": new_id("req_"), **headers}
        for name, value in named.items():
            self.send_header(name, value)
        self.end_headers()

    def _json(self, status: int, body: Any, headers: Any = None) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        size = {"content-type": "application/json", "content-length": str(len(data))}
        self._head(status, {**size, **(headers or {})})
        self.wfile.write(data)

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _nothing(self, path: str) -> None:
        error = {"type": "not_found_error", "message": f"stand-in: no {path}"}
        self._json(404, {"type": "error", "error": error})


def _parse(raw: bytes) -> Json:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _models() -> Json:
    listed = [
        {"id": name, "object": "model", "type": "model", "created": 1, "display_name": name}
        for name in MODELS
    ]
    named = [{"name": f"models/{name}"} for name in MODELS]
    return {"object": "list", "data": listed, "models": named, "has_more": False}
