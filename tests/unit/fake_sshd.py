"""Hosts in memory behind a real SSH server on this machine; the user's name selects the host."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import asyncssh
from fake_host import FakeHost, line


class OpenDoor(asyncssh.SSHServer):
    """Accepts every login."""

    guests: ClassVar[list[asyncssh.SSHServerConnection]] = []

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.guests.append(conn)

    def begin_auth(self, username: str) -> bool:
        del username
        return False


def answering(hosts: dict[str, FakeHost]) -> Any:
    """The process of an exec channel: its stdin has the agent's source, then the request."""

    async def answer(process: asyncssh.SSHServerProcess) -> None:
        length, _, rest = (await process.stdin.read()).partition(b"\n")
        hosts[process.get_extra_info("username")].ask(json.loads(rest[int(length) :]), lambda **event: process.stdout.write(line(event)))
        process.exit(0)

    return answer


@contextmanager
def listening(*keys: asyncssh.SSHKey, door: type[asyncssh.SSHServer] = OpenDoor, **options: Any) -> Iterator[int]:
    """The port of a server with these host keys, while it listens."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen("127.0.0.1", 0, server_host_keys=list(keys), server_factory=door, encoding=None, **options)

    server = wait(listen())

    async def close() -> None:
        server.close()
        await server.wait_closed()
        for guest in [guest for guest in OpenDoor.guests if guest._loop is loop]:
            OpenDoor.guests.remove(guest)
            guest.abort()
            await guest.wait_closed()

    try:
        yield server.get_port()
    finally:
        wait(close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def ssh_config(folder: Path, hosts: dict[str, FakeHost]) -> Iterator[Path]:
    """An SSH configuration that leads to these hosts, while they listen."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    with listening(key, process_factory=answering(hosts)) as port:
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
        path = folder / "ssh_config"
        blocks = [f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User {name}\n  UserKnownHostsFile {known}\n" for name in hosts]
        path.write_text("\n".join(blocks))
        yield path
