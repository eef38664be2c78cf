"""The keeper's socket, and the relays between loopback and the lab."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lab.cable_commands import end_of_cable
from lab.control import NoLabError, ask, runs, serve
from lab.errors import LabError
from lab.folders import VARIABLE, Folders
from lab.relay import Relay

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a relay enters network namespaces, which takes root")


class Keeper:
    """A keeper that does what a test asks."""

    def __init__(self) -> None:
        self.given_up = asyncio.Event()
        self.finished = asyncio.Event()

    async def status(self) -> dict[str, Any]:
        return {"hosts": {}}

    async def cut(self, host: str, port: str) -> dict[str, Any]:
        raise LabError(f"no cable at {host}:{port}")

    async def exec(self, **_words: object) -> dict[str, Any]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.given_up.set()
            raise
        return {}

    async def console(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, Any]:
        if host == "off":
            raise LabError("off is switched off")
        writer.write((await reader.readline()).upper())
        return {}

    async def start(self, **_words: object) -> dict[str, Any]:
        await asyncio.sleep(0.05)
        self.finished.set()
        return {}


def with_keeper(folder: Path, scene: Callable[[Keeper, Folders], Awaitable[None]]) -> None:
    """Run a scene while a keeper answers in the run folder."""

    async def play() -> None:
        folders = Folders(folder)
        folders.run.mkdir(parents=True)
        keeper = Keeper()
        server = await serve(keeper, folders.control)
        try:
            await scene(keeper, folders)
        finally:
            server.close()
            await server.wait_closed()

    asyncio.run(play())


async def hang_up_after(folders: Folders, request: bytes) -> None:
    """Send a request and disconnect."""
    _, writer = await asyncio.open_unix_connection(folders.control)
    writer.write(request)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def test_the_keeper_answers_and_refuses(tmp_path: Path) -> None:
    async def scene(_: Keeper, folders: Folders) -> None:
        assert await asyncio.to_thread(runs, folders)
        assert await asyncio.to_thread(ask, folders, "status") == {"hosts": {}}
        with pytest.raises(LabError, match="no cable at alvin:eno9"):
            await asyncio.to_thread(ask, folders, "cut", host="alvin", port="eno9")
        with pytest.raises(LabError, match="unknown verb 'melt'"):
            await asyncio.to_thread(ask, folders, "melt")

    with_keeper(tmp_path, scene)


def test_a_disconnect_cancels_a_command_but_no_boot(tmp_path: Path) -> None:
    async def scene(keeper: Keeper, folders: Folders) -> None:
        await hang_up_after(folders, b'{"do": "exec"}\n')
        await hang_up_after(folders, b'{"do": "start"}\n')
        async with asyncio.timeout(5):
            await keeper.given_up.wait()
            await keeper.finished.wait()

    with_keeper(tmp_path, scene)


def test_a_terminal_works_in_both_directions_or_is_refused(tmp_path: Path) -> None:
    async def talk(folders: Folders, request: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(folders.control)
        writer.write(request)
        try:
            return await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()

    async def scene(_: Keeper, folders: Folders) -> None:
        assert await talk(folders, b'{"do": "console", "host": "on"}\nhello\n') == b"HELLO\n"
        assert json.loads(await talk(folders, b'{"do": "console", "host": "off"}\n')) == {"error": "off is switched off"}

    with_keeper(tmp_path, scene)


def test_without_a_lab_the_message_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(NoLabError, match="`python -m lab up` boots it"):
        ask(Folders(tmp_path), "status")
    assert not runs(Folders(tmp_path))


def test_the_labs_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Folders.of_user().root == tmp_path / "burrow/lab"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert Folders.of_user().ssh_config == tmp_path / "mine/ssh_config"


def test_the_end_of_a_cable_is_host_and_port() -> None:
    import click

    assert end_of_cable(None, None, "sw-rack:swp1") == ("sw-rack", "swp1")  # type: ignore[arg-type]
    with pytest.raises(click.BadParameter, match="wanted HOST:PORT"):
        end_of_cable(None, None, "sw-rack")  # type: ignore[arg-type]


async def relayed(inside: str, scene: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
    """Connect through a relay to `inside`."""
    with socket.create_server(("127.0.0.1", 0)) as spare:
        port = spare.getsockname()[1]
    relay = Relay(f"127.0.0.1:{port}", inside)
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        await relay.open(here)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await scene(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            await relay.close()
    finally:
        os.close(here)


@needs_root
def test_a_relay_forwards_both_ways_and_half_closes() -> None:
    async def play() -> None:
        async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read()).upper())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(shout, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]

            async def scene(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"hello")
                writer.write_eof()
                assert await reader.read() == b"HELLO"

            await relayed(f"127.0.0.1:{port}", scene)

    asyncio.run(play())


@needs_root
def test_a_relay_resets_its_client_when_the_target_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as spare:
        dead = spare.getsockname()[1]

    async def scene(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        with pytest.raises(ConnectionResetError):
            await reader.read()

    asyncio.run(relayed(f"127.0.0.1:{dead}", scene))
