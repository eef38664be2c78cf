"""SSH to Linux hosts: one connection a host, one exec channel a step, a deadline on each channel.

asyncssh reads the site's SSH configuration, the agent and the known hosts. One event loop in one background thread carries all hosts, so
a step is a plain blocking call in its caller's thread and none of them can hang: at its deadline the channel is closed.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import asyncssh

from tasks.core.errors import Deadline, LinkError

CONNECT_S = 10.0
T = TypeVar("T")


class _Loop:
    """The one loop of the process, made by whichever thread is first."""

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

        Raises LinkError when the connection breaks, Deadline when `deadline_s` passes first.
        """
        return _wait(self._run(command, stdin, deadline_s, on_line))

    async def _run(
        self, command: str, stdin: bytes, deadline_s: float, on_line: Callable[[bytes], None] | None
    ) -> tuple[int, bytes, bytes]:
        try:
            async with asyncio.timeout(deadline_s):
                process = await self._connection.create_process(command, encoding=None)
                process.stdin.write(stdin)
                process.stdin.write_eof()
                errors = asyncio.ensure_future(process.stderr.read())
                lines = []
                async for line in process.stdout:
                    lines.append(line)
                    if on_line and line:  # asyncssh ends some streams with an empty line
                        on_line(line)
                await process.wait_closed()
                return (-1 if process.exit_status is None else process.exit_status), b"".join(lines), await errors
        except TimeoutError as error:
            self.abort()
            raise Deadline(
                f"{self.host}: no answer within {deadline_s:.0f} s; the connection was closed. Is the host hung, or the path to it cut?"
            ) from error
        except (asyncssh.Error, OSError) as error:
            raise LinkError(f"{self.host}: the connection broke: {error}") from error

    def abort(self) -> None:
        """Close at once, without waiting for the host."""
        _loop().call_soon_threadsafe(self._connection.abort)

    def close(self) -> None:
        """Close; a host that does not answer any more does not delay it."""
        _loop().call_soon_threadsafe(self._connection.close)

    def alive(self) -> bool:
        """Whether the connection stands, as far as this end knows."""
        return not self._connection.is_closed()


async def _connect(host: str, port: int | None, username: str | None, ssh_config: str | None) -> asyncssh.SSHClientConnection:
    # asyncssh reads ~/.ssh/config by itself where no other is named.
    options: dict[str, Any] = {"config": [ssh_config]} if ssh_config else {}
    if port:
        options["port"] = port
    if username:
        options["username"] = username
    try:
        async with asyncio.timeout(CONNECT_S):
            return await asyncssh.connect(host, keepalive_interval=5, keepalive_count_max=3, **options)
    except TimeoutError as error:
        raise Deadline(f"{host}: no SSH connection within {CONNECT_S:.0f} s. Is the host up and reachable from here?") from error
    except asyncssh.HostKeyNotVerifiable as error:
        raise LinkError(
            f"{host}: its host key is not in known_hosts. Check the key on the host's console, then add it with ssh-keyscan"
        ) from error
    except asyncssh.PermissionDenied as error:
        raise LinkError(
            f"{host}: it refuses this user's keys ({error.reason}). Is the public key in the host's authorized_keys?"
        ) from error
    except ConnectionRefusedError as error:
        raise LinkError(
            f"{host}: nothing answers on its SSH port. Is it up? The rehearsal lab is started with `python -m lab up`"
        ) from error
    except (asyncssh.Error, OSError) as error:
        raise LinkError(f"{host}: no SSH connection: {error}") from error
