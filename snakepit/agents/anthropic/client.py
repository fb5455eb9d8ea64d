"""Owns speaking to a server of the Messages API through the SDK: one request and its end; it tries nothing twice.

The SDK's own retries are off: they are silent, and know neither a person at the pane nor the account. Its tool
runner is not used: it speaks to the beta endpoint, which other servers lack, and holds the conversation in memory.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from snakepit.core import apifailure
from snakepit.core.apifailure import Failure
from snakepit.core.usage import Usage

if TYPE_CHECKING:
    from anthropic import Anthropic

VENDOR = "https://api.anthropic.com"
NO_KEY = "no-key"  # for servers that want none; the SDK insists on one
CONNECT_TIMEOUT = 10.0  # seconds
SHORT_TIMEOUT = 20.0  # seconds, for what is only asked beside the work


class Delta(NamedTuple):
    """A piece of the answer's text as it comes."""

    text: str


class Answer(NamedTuple):
    content: list[object]
    stop: str
    usage: Usage
    model: str
    message: str = ""

    @property
    def tokens(self) -> int:
        """In the context after this answer."""
        return self.usage.tokens


class Lost(NamedTuple):
    """A request without a whole answer; `usage` is what the server had said until then."""

    failure: Failure
    usage: Usage = Usage()


class Model(NamedTuple):
    id: str
    name: str = ""
    context_window: int | None = None


class Client:
    """The SDK is imported with the first request: it costs a second and many megabytes."""

    def __init__(
        self, *, base_url: str, api_key: str = "", auth_token: str = "", timeout_s: float = 600.0
    ) -> None:
        self.base_url = base_url or VENDOR
        self._api_key = api_key
        self._auth_token = auth_token
        self._timeout_s = timeout_s
        self._made: Anthropic | None = None

    @property
    def problem(self) -> str:
        """Why no request can be sent; empty when one can."""
        if self.base_url.rstrip("/") == VENDOR and not (self._api_key or self._auth_token):
            return "neither ANTHROPIC_API_KEY nor ANTHROPIC_AUTH_TOKEN nor a base_url is set"
        return ""

    @property
    def host(self) -> str:
        from urllib.parse import urlsplit

        return urlsplit(self.base_url).netloc or self.base_url

    def stream(self, request: Mapping[str, object]) -> Iterator[Delta | Answer | Lost]:
        """Pieces of text, then the answer or how it was lost. Closing it drops the connection."""
        used = Usage()
        try:
            with self._sdk().messages.stream(**_arguments(request)) as stream:
                snapshot: Any = None
                for event in stream:
                    if event.type == "text":
                        yield Delta(event.text)
                    elif event.type == "message_start":
                        used = _usage(event.message)
                    elif event.type == "message_stop":
                        snapshot = stream.current_message_snapshot
                if snapshot is None or snapshot.stop_reason is None:
                    yield Lost(Failure(apifailure.DROPPED), used)
                    return
                yield _answer(snapshot)
        except GeneratorExit:
            raise
        except Exception as error:  # whatever the SDK, its parsers and the network raise
            yield Lost(_failure(error), used)

    def count(self, request: Mapping[str, object]) -> int | None:
        """Tokens of the request; None where the server does not count."""
        keys = ("model", "messages", "system", "tools")
        asked: Any = {key: request[key] for key in keys if key in request}
        try:
            found = self._sdk().messages.count_tokens(**asked, timeout=SHORT_TIMEOUT)
        except Exception:  # a count is a nicety: no failure of it may end a run
            return None
        count = getattr(found, "input_tokens", None)
        return count if isinstance(count, int) and count > 0 else None

    def models(self) -> list[Model]:
        """What the server has to offer; empty where it does not say."""
        try:
            page = self._sdk().models.list(limit=1000, timeout=SHORT_TIMEOUT)
            return [_model(found) for found in page.data or ()]
        except Exception:  # as above
            return []

    def window(self, model: str) -> int | None:
        """Tokens of the model's context, where the server tells."""
        try:
            found = self._sdk().models.retrieve(model, timeout=SHORT_TIMEOUT)
        except Exception:  # as above
            return None
        return _model(found).context_window

    def close(self) -> None:
        if self._made is not None:
            self._made.close()
            self._made = None

    def _sdk(self) -> "Anthropic":
        if self._made is None:
            from anthropic import Anthropic, Timeout

            key = self._api_key or (None if self._auth_token else NO_KEY)
            self._made = Anthropic(
                api_key=key,
                auth_token=None if key else self._auth_token,
                base_url=self.base_url,
                max_retries=0,
                timeout=Timeout(self._timeout_s, connect=min(CONNECT_TIMEOUT, self._timeout_s)),
            )
        return self._made


def client_from(environ: Mapping[str, str], *, base_url: str = "", timeout_s: float) -> Client:
    return Client(
        base_url=base_url or environ.get("ANTHROPIC_BASE_URL", ""),
        api_key=environ.get("ANTHROPIC_API_KEY", ""),
        auth_token=environ.get("ANTHROPIC_AUTH_TOKEN", ""),
        timeout_s=timeout_s,
    )


def _arguments(request: Mapping[str, object]) -> Any:
    return dict(request)


def _answer(message: Any) -> Answer:
    content = [block.to_dict(mode="json", exclude_none=True) for block in message.content]
    for block in content:
        block.pop("parsed_output", None)
    return Answer(
        content=content,
        stop=str(message.stop_reason),
        usage=_usage(message),
        model=str(message.model or ""),
        message=str(message.id or ""),
    )


def _usage(message: Any) -> Usage:
    """Lenient: other servers leave out what they do not know."""
    said = getattr(message, "usage", None)

    def tokens(name: str) -> int:
        value = getattr(said, name, None)
        return value if isinstance(value, int) else 0

    return Usage(
        input=tokens("input_tokens"),
        output=tokens("output_tokens"),
        cache_read=tokens("cache_read_input_tokens"),
        cache_write=tokens("cache_creation_input_tokens"),
        model=str(getattr(message, "model", "") or ""),
    )


def _model(found: Any) -> Model:
    window = getattr(found, "max_input_tokens", None)
    return Model(
        id=str(getattr(found, "id", "")),
        name=str(getattr(found, "display_name", "") or ""),
        context_window=window if isinstance(window, int) and window > 0 else None,
    )


def _failure(error: Exception) -> Failure:
    import anthropic
    import httpx2

    if isinstance(error, anthropic.APIStatusError):
        return Failure(
            apifailure.STATUS,
            status=error.status_code,
            type=str(error.type or ""),
            message=str(error.api_message or error.message or ""),
            headers={key.lower(): value for key, value in error.response.headers.items()},
        )
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException):
        return Failure(apifailure.SILENT)
    if isinstance(error, anthropic.APIConnectionError):
        cause = error.__cause__ or error
        dropped = isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError)
        what = apifailure.DROPPED if dropped else apifailure.UNREACHABLE
        return Failure(what, message=str(cause))
    if isinstance(error, httpx2.TransportError | OSError):
        return Failure(apifailure.DROPPED, message=str(error))
    return Failure(apifailure.GARBAGE, message=f"{type(error).__name__}: {error}")
