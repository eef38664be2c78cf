"""SSH to Linux hosts: one connection a host, one exec channel a step, a deadline on each channel.

asyncssh reads the site's SSH configuration, the agent and known_hosts. One event loop in one background thread serves all hosts, so a step
is a plain blocking call in its caller's thread. None can hang: at its deadline the channel is closed.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import asyncssh

from tasks.core.connectors import ssh_config
from tasks.core.connectors.host_keys import HostKey
from tasks.core.model.errors import UNEXPECTED, Deadline, LinkError

CONNECT_S = 10.0
# More than the host agent sends, whatever the commands print. A host that sends more is out of order, and must not fill this memory.
ANSWER_BYTES = 128 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
# How a server ends a connection during the key exchange: with a message, the end of the stream, or a reset.
ENDED = (asyncssh.ConnectionLost, asyncssh.KeyExchangeFailed, ConnectionResetError, BrokenPipeError)
T = TypeVar("T")


class _Loop:
    """The one loop of the process, created by the first thread that needs it."""

    lock = threading.Lock()
    loop: asyncio.AbstractEventLoop | None = None


def _loop() -> asyncio.AbstractEventLoop:
    with _Loop.lock:
        if _Loop.loop is None:
            _Loop.loop = asyncio.new_event_loop()
            threading.Thread(target=_Loop.loop.run_forever, name="ssh", daemon=True).start()
        return _Loop.loop


def _wait(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


class Channel:
    """An open connection to one host."""

    def __init__(self, host: str, connection: asyncssh.SSHClientConnection) -> None:
        self.host = host
        self._connection = connection

    @classmethod
    def open(cls, host: str, *, port: int | None = None, username: str | None = None, ssh_config: str | None = None) -> "Channel":
        """Connect with the host's keys checked. Raises LinkError with the reason and Deadline after CONNECT_S seconds."""
        return cls(host, _wait(_connect(host, port, username, ssh_config)))

    def run(
        self, command: str, stdin: bytes, deadline_s: float, on_line: Callable[[bytes], None] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Exit code, stdout and stderr of one exec; each line of stdout is also handed to `on_line` as it comes.

        Raises LinkError when the connection breaks or the host sends more than ANSWER_BYTES, Deadline when `deadline_s` passes first.
        """
        return _wait(self._run(command, stdin, deadline_s, on_line))

    async def _run(
        self, command: str, stdin: bytes, deadline_s: float, on_line: Callable[[bytes], None] | None
    ) -> tuple[int, bytes, bytes]:
        try:
            async with asyncio.timeout(deadline_s):
                process = await self._connection.create_process(command, encoding=None, request_pty=False)
                process.stdin.write(stdin)
                process.stdin.write_eof()
                errors = asyncio.ensure_future(self._whole(process.stderr, None))
                output = await self._whole(process.stdout, on_line)
                await process.wait_closed()
                return (-1 if process.exit_status is None else process.exit_status), output, await errors
        except TimeoutError as error:
            self.abort()
            raise Deadline(
                f"{self.host}: no answer within {deadline_s:.0f} s; the connection was closed. Is the host hung, or the path to it cut?"
            ) from error
        except (asyncssh.Error, OSError) as error:
            raise LinkError(f"{self.host}: the connection broke: {error}") from error

    async def _whole(self, stream: Any, on_line: Callable[[bytes], None] | None) -> bytes:
        """All of a stream."""
        output, told = bytearray(), 0
        while part := await stream.read(CHUNK_BYTES):
            output += part
            if len(output) > ANSWER_BYTES:
                self.abort()
                raise LinkError(f"{self.host}: it sent more than {ANSWER_BYTES // 2**20} MiB; the connection was closed")
            while on_line and (end := output.find(b"\n", told)) >= 0:
                on_line(bytes(output[told : end + 1]))
                told = end + 1
        return bytes(output)

    def abort(self) -> None:
        """Close at once, without waiting for the host."""
        _loop().call_soon_threadsafe(self._connection.abort)

    def close(self) -> None:
        """Close without waiting for the host."""
        _loop().call_soon_threadsafe(self._connection.close)

    def alive(self) -> bool:
        """Whether the connection is open, as far as this end knows."""
        return not self._connection.is_closed()


def host_key_problem(host: str, port: int | None, ssh_config: str | None) -> LinkError | None:
    """Why the key that a host offers is not accepted; None where it is known, or where the host does not answer."""
    try:
        _wait(_offered(host, port or (), [ssh_config] if ssh_config else ()))
    except LinkError as error:
        return error
    except (TimeoutError, asyncssh.Error, OSError, *UNEXPECTED):
        return None
    return None


async def _offered(host: str, port: int | tuple[()], config: list[str] | tuple[()]) -> None:
    """Raises LinkError where the key that a host offers is not known; does not log in."""
    async with asyncio.timeout(CONNECT_S):
        options = await _options(host, port, (), config, ())
        key = HostKey.of(host, options)
        tunnel = await _jumps(options.tunnel, config)
        try:
            key.offered = await asyncssh.get_server_host_key(host, port, config=config, tunnel=tunnel)
        finally:
            if tunnel:
                tunnel.close()
        if not key.is_trusted:
            raise key.problem("not known")


async def _connect(host: str, port: int | None, username: str | None, ssh_config: str | None) -> asyncssh.SSHClientConnection:
    try:
        async with asyncio.timeout(CONNECT_S):
            return await _opened(host, port or (), username or (), [ssh_config] if ssh_config else ())
    except TimeoutError as error:
        raise Deadline(f"{host}: no SSH connection within {CONNECT_S:.0f} s. Is the host up and reachable from here?") from error
    except asyncssh.PermissionDenied as error:
        raise LinkError(
            f"{host}: it rejects this user's keys ({error.reason}). Is the public key in the host's authorized_keys?"
        ) from error
    except ConnectionRefusedError as error:
        raise LinkError(
            f"{host}: nothing answers on its SSH port. Is it up? The rehearsal lab is started with `python -m lab up`"
        ) from error
    except (asyncssh.Error, OSError, *UNEXPECTED) as error:  # asyncssh has no error of its own for a key or an option that it cannot read
        raise LinkError(f"{host}: no SSH connection: {error}") from error


async def _opened(
    host: str,
    port: int | tuple[()],
    username: str | tuple[()],
    config: list[str] | tuple[()],
    through: asyncssh.SSHClientConnection | tuple[()] = (),
) -> asyncssh.SSHClientConnection:
    """The connection, through its jump hosts; each has its key checked and gets no agent.

    asyncssh would open the jumps itself, with the SSH configuration's agent forwarding and known_hosts.
    """
    options = await _options(host, port, username, config, through)
    key = HostKey.of(host, options)
    tunnel = through or await _jumps(options.tunnel, config)
    # It is parsed again only if it depends on the canonical name: parsing takes most of the time.
    again = config if options.config.has_match_final() or options.canonicalize_hostname else None
    where: dict[str, Any] = {"host": host, "port": port, "options": options, "config": again, "tunnel": tunnel}
    try:
        connection = await _verified(key, where)
    except BaseException:
        if tunnel:
            tunnel.close()
        raise
    connection.set_tunnel(tunnel or None)
    return connection


async def _verified(key: HostKey, where: dict[str, Any]) -> asyncssh.SSHClientConnection:
    """The connection to a host with a known key. Raises LinkError for any other key."""
    try:
        return await asyncssh.connect(**where, known_hosts=key.trusted, client_factory=key.client, client_keys=())
    except asyncssh.HostKeyNotVerifiable as error:
        raise key.problem(error.reason) from error
    except ENDED as error:
        if not key.is_known_by_type:
            raise
        # Only known key types were asked for, and a server that has none of them ends the connection: ask for the others.
        key.offered = await asyncssh.get_server_host_key(**where, server_host_key_algs="default")
        if key.is_trusted:
            raise
        raise key.problem(str(error)) from error


async def _options(
    host: str,
    port: int | tuple[()],
    username: str | tuple[()],
    config: list[str] | tuple[()],
    through: asyncssh.SSHClientConnection | tuple[()],
) -> asyncssh.SSHClientConnectionOptions:
    """The SSH options of a host, without forwarding of an agent, a display or a Kerberos ticket."""
    parts = ssh_config.of_host(config, host)
    try:
        options: asyncssh.SSHClientConnectionOptions = await asyncssh.SSHClientConnectionOptions.construct(
            host=host,
            port=port,
            username=username,
            config=list(parts),
            client_keys=None,  # read when it connects
            agent_forwarding=False,
            x11_forwarding=False,
            gss_delegate_creds=False,
            gss_kex=False,  # a ticket would replace the host key
            **({"tunnel": through} if through else {}),
            keepalive_interval=5,
            keepalive_count_max=3,
        )
    except (OSError, *UNEXPECTED) as error:
        reason = str(error)
        for part, whole in parts.items():
            reason = reason.replace(part, whole)
        files = ", ".join(parts.values()) or ssh_config.DEFAULT
        raise LinkError(f"{host}: the SSH configuration ({files}) cannot be used: {reason}; correct it") from error
    finally:
        ssh_config.forget(parts)
    return options


async def _jumps(hosts: object, config: list[str] | tuple[()]) -> asyncssh.SSHClientConnection | tuple[()]:
    """The connection to the last host of a ProxyJump ([USER@]HOST[:PORT], separated by commas)."""
    tunnel: asyncssh.SSHClientConnection | tuple[()] = ()
    for jump in str(hosts or "").split(",") if hosts else ():
        user, _, where = jump.rpartition("@")
        host, _, port = where.rpartition(":") if ":" in where else (where, "", "")
        tunnel = await _opened(host, int(port) if port else (), user or (), config, tunnel)
    return tunnel
