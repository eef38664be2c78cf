"""JSON-RPC 2.0 over a WebSocket, the API of TrueNAS from 25.04 on: calls, errors, and jobs that are followed by their events."""

import json
import ssl
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from inventory.secret_file import UnusableSecret, read_secret
from tasks.core.model.errors import Deadline, LinkError, TransactionError

PORT = 443
CONNECT_S = 10.0
CALL_S = 30.0
# The bytes of one answer; as many as a host may answer to one request.
LIMIT_BYTES = 2**24
ENDED = ("SUCCESS", "FAILED", "ABORTED")


class Wire(Protocol):
    """The part of a WebSocket that is used here."""

    def send(self, message: str) -> None:
        """Send one message."""

    def recv(self, timeout: float | None = None) -> str | bytes:
        """The next message. Raises TimeoutError."""

    def close(self) -> None:
        """Close it."""


class JsonRpc:
    """One connection: calls in sequence, with events between them."""

    def __init__(self, host: str, wire: Wire) -> None:
        self.host, self.wire = host, wire
        self._number = 0
        self._watches_jobs = False

    def login(self, user: str, key: str) -> None:
        """Log in with an API key. Raises LinkError where it is rejected."""
        answer = self.call("auth.login_ex", [{"mechanism": "API_KEY_PLAIN", "username": user, "api_key": key}])
        if answer.get("response_type") != "SUCCESS":
            raise LinkError(
                f"{self.host}: its API rejects the key of {user} ({answer.get('response_type')}); create a new key, and check its user"
            )

    def call(self, method: str, parameters: list[Any]) -> Any:
        """The result of a method. Raises TransactionError with the reason where it is refused, LinkError where no answer arrives."""
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": parameters})
        while True:
            message = self._next(method)
            if message.get("id") == self._number:
                break
        if "error" in message:
            raise TransactionError(f"{self.host}: `{method}` was refused: {_reason(message['error'])}")
        return message.get("result")

    def job(self, number: int, wait_s: float) -> dict[str, Any]:
        """A job, once it has ended or `wait_s` have passed; empty where the device does not know it any more."""
        until = time.monotonic() + wait_s
        if not self._watches_jobs:
            self.call("core.subscribe", ["core.get_jobs"])
            self._watches_jobs = True
        # The job may have ended before the first event.
        jobs: list[dict[str, Any]] = self.call("core.get_jobs", [[["id", "=", number]]])
        job = jobs[0] if jobs else {}
        while job and job["state"] not in ENDED and time.monotonic() < until:
            try:
                event = self._next(f"job {number}", until - time.monotonic()).get("params", {})
            except Deadline:
                break
            if event.get("collection") == "core.get_jobs" and event.get("fields", {}).get("id") == number:
                job = event["fields"]
        return job

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self.wire.send(json.dumps(message))
        except (EOFError, OSError) as error:
            raise LinkError(f"{self.host}: the connection to its API broke: {error}") from error

    def _next(self, method: str, wait_s: float = CALL_S) -> dict[str, Any]:
        try:
            message: dict[str, Any] = json.loads(self.wire.recv(timeout=wait_s))
        except TimeoutError as error:
            raise Deadline(f"{self.host}: `{method}` had no answer within {wait_s:g} s") from error
        except (EOFError, OSError) as error:
            raise LinkError(f"{self.host}: the connection to its API broke: {error}") from error
        return message


def _reason(error: dict[str, Any]) -> str:
    """Of a validation, each field with its fault: `extra` is then a list of rows (name, why, number); of other errors it is anything."""
    data = error.get("data") or {}
    extra = data.get("extra")
    rows = [row for row in extra if isinstance(row, list) and len(row) > 1] if isinstance(extra, list) else []
    return "; ".join(f"{name}: {why}" for name, why, *_ in rows) or str(data.get("reason") or error.get("message"))


class ApiConnection:
    """The nornir connection plugin `burrow_api`; `connection` is a JsonRpc, logged in."""

    def open(
        self,
        hostname: str | None,
        username: str | None,  # noqa: ARG002 (the SSH user)
        password: str | None,  # noqa: ARG002
        port: int | None,
        platform: str | None,  # noqa: ARG002
        extras: dict[str, Any] | None = None,
        configuration: Any = None,  # noqa: ARG002
    ) -> None:
        """Connect by TLS. `extras` hold `user`, `key_file`, and `ca_file` for a certificate of an unknown authority."""
        extras, host = extras or {}, hostname or ""
        if not extras.get("user") or not extras.get("key_file"):
            raise LinkError(f"{host}: its API needs a key; set api_user and api_key_file in the site's settings")
        try:
            key = read_secret(Path(extras["key_file"]))
        except UnusableSecret as error:
            raise LinkError(f"{host}: the key of its API cannot be read: wanted one word in {extras['key_file']}, {error}") from error
        self.connection = JsonRpc(host, _wire(host, port or PORT, extras.get("ca_file")))
        self.connection.login(extras["user"], key)

    def close(self) -> None:
        """Close the connection."""
        self.connection.wire.close()


@dataclass(frozen=True)
class _Socket:
    """A WebSocket that raises EOFError when it is closed, as other streams do."""

    connection: Any
    closed: type[Exception]
    opened: ExitStack

    def send(self, message: str) -> None:
        try:
            self.connection.send(message)
        except self.closed as error:
            raise EOFError(str(error)) from error

    def recv(self, timeout: float | None = None) -> str | bytes:
        try:
            message: str | bytes = self.connection.recv(timeout=timeout)
        except self.closed as error:
            raise EOFError(str(error)) from error
        return message

    def close(self) -> None:
        self.opened.close()


def _wire(host: str, port: int, ca_file: str | None) -> Wire:
    """Always TLS: TrueNAS revokes a key that is sent without it."""
    from websockets.exceptions import ConnectionClosed, WebSocketException  # noqa: PLC0415 (start-up)
    from websockets.sync.client import connect  # noqa: PLC0415

    try:
        tls, opened = ssl.create_default_context(cafile=ca_file or None), ExitStack()
    except OSError as error:
        raise LinkError(f"{host}: wanted certificates in {ca_file}, found none: {error}; correct api_ca_file") from error
    try:
        connection = opened.enter_context(
            connect(f"wss://{host}:{port}/api/current", ssl=tls, open_timeout=CONNECT_S, max_size=LIMIT_BYTES)
        )
    except (OSError, WebSocketException) as error:
        raise LinkError(f"{host}: its API is unreachable on port {port}: {error}") from error
    return _Socket(connection, ConnectionClosed, opened)
