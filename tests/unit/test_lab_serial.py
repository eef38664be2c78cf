"""The serial line: which boot receives which request, and which answers are not accepted."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable

import pytest

from lab.errors import LabError
from lab.serial import SerialLine


class Agent:
    """The machine's end of a serial line, controlled by the test."""

    def __init__(self) -> None:
        self.greetings = 0
        self.switched: list[set[int]] = []
        self.line = SerialLine("alvin", self._greeted, self._switched)

    def _greeted(self) -> None:
        self.greetings += 1

    def _switched(self) -> None:
        self.switched.append(set(self.line.ports_on))

    async def attach(self) -> None:
        ours, theirs = socket.socketpair()
        await self.line.attach(ours)
        self.reader, self.writer = await asyncio.open_unix_connection(sock=theirs)

    def say(self, **words: object) -> None:
        self.writer.write(json.dumps(words).encode() + b"\n")

    async def heard(self) -> dict[str, object]:
        return dict(json.loads(await self.reader.readline()))

    async def switch_off(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()
        await self.line.closed()


def played(scene: Callable[[Agent], Awaitable[None]]) -> Agent:
    """Run a scene with an agent, then switch its machine off."""

    async def play() -> Agent:
        agent = Agent()
        await agent.attach()
        try:
            await scene(agent)
        finally:
            await agent.switch_off()
        return agent

    return asyncio.run(play())


def test_ports_with_link_are_reported_and_end_with_the_machine() -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        agent.say(ports={0: True, 1: False})
        agent.say(ports={0: True, 1: True})
        agent.say(bye="boot-1")
        await agent.line.ready.wait()

    assert played(scene).switched == [{0}, {0, 1}, set(), set()]


def test_a_command_is_answered_whatever_else_is_on_the_line() -> None:
    async def scene(agent: Agent) -> None:
        agent.writer.write(b"Linux version 7.2 says hello\n")
        agent.say(ready="boot-1")
        asking = asyncio.create_task(agent.line.run(["true"], wait_s=5, stdin="in"))
        request = await agent.heard()
        assert (request["boot"], request["argv"], request["stdin"]) == ("boot-1", ["true"], "in")
        agent.say(**request)  # the line of a booting machine echoes its input
        agent.say(id=request["id"], rc=3, out="o", err="e", timeout=False)
        assert (await asking)["rc"] == 3

    assert played(scene).greetings == 1


def test_commands_run_in_parallel() -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        slow = asyncio.create_task(agent.line.run(["slow"], wait_s=5))
        first = await agent.heard()
        quick = asyncio.create_task(agent.line.run(["quick"], wait_s=5))
        second = await agent.heard()
        agent.say(id=second["id"], rc=0, out="quick", err="")
        assert (await quick)["out"] == "quick"
        assert not slow.done()
        agent.say(id=first["id"], rc=0, out="slow", err="")
        assert (await slow)["out"] == "slow"

    played(scene)


@pytest.mark.parametrize(("event", "expected"), [({"ready": "boot-2"}, "booted again"), (None, "was switched off")])
def test_a_command_does_not_outlive_its_boot(event: dict[str, object] | None, expected: str) -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        asking = asyncio.create_task(agent.line.run(["true"], wait_s=5))
        await agent.heard()
        if event:
            agent.say(**event)
        else:
            await agent.switch_off()
        with pytest.raises(LabError, match=f"alvin {expected} before it answered"):
            await asking

    played(scene)


def test_a_machine_that_goes_down_is_asked_when_it_is_up_again() -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        await agent.line.ready.wait()
        agent.say(bye="boot-1")
        await asyncio.sleep(0.05)
        assert not agent.line.ready.is_set()
        asking = asyncio.create_task(agent.line.run(["true"], wait_s=5))
        agent.say(ready="boot-2")
        request = await agent.heard()
        assert request["boot"] == "boot-2"
        agent.say(id=request["id"], rc=0, out="", err="")
        await asking

    assert played(scene).greetings == 2


def test_a_silent_machine_is_awaited_only_up_to_the_limit() -> None:
    async def scene(agent: Agent) -> None:
        with pytest.raises(LabError, match=r"alvin does not answer on its serial line after 0\.05 s"):
            await agent.line.run(["true"], wait_s=0.05)

    played(scene)


def test_a_command_that_ran_too_long_is_reported() -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        asking = asyncio.create_task(agent.line.run(["sleep", "9"], wait_s=5))
        request = await agent.heard()
        agent.say(id=request["id"], rc=-9, out="", err="", timeout=True)
        with pytest.raises(LabError, match=r"ran longer than 5 s and was ended"):
            await asking

    played(scene)


def test_a_caller_that_gives_up_ends_the_command() -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        asking = asyncio.create_task(agent.line.run(["sleep", "9"], wait_s=5))
        request = await agent.heard()
        asking.cancel()
        assert await agent.heard() == {"cancel": request["id"], "boot": "boot-1"}

    played(scene)


def test_a_terminal_sends_piece_by_piece_and_ends_with_its_user() -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        async with agent.line.terminal(["bash"], (24, 80), "xterm", wait_s=5) as terminal:
            request = await agent.heard()
            assert (request["argv"], request["size"], request["term"]) == (["bash"], [24, 80], "xterm")
            agent.say(**request)
            agent.say(id=request["id"], output="$ ")
            assert (await terminal.answers.get())["output"] == "$ "
            await terminal.tell({"took": True})
            await terminal.tell({"input": "ls\r"})
            assert await agent.heard() == {"id": request["id"], "boot": "boot-1", "took": True}
            assert (await agent.heard())["input"] == "ls\r"
            agent.say(id=request["id"], rc=3)
            assert (await terminal.answers.get())["rc"] == 3
        assert await agent.heard() == {"cancel": request["id"], "boot": "boot-1"}

    played(scene)


def test_a_terminal_is_notified_that_its_machine_rebooted() -> None:
    async def scene(agent: Agent) -> None:
        agent.say(ready="boot-1")
        async with agent.line.terminal(["bash"], (24, 80), "xterm", wait_s=5) as terminal:
            await agent.heard()
            agent.say(ready="boot-2")
            assert await terminal.answers.get() == {"error": "alvin booted again"}

    played(scene)


def test_kernel_is_woken_with_an_empty_line_once_its_agent_listens() -> None:
    async def scene(agent: Agent) -> None:
        agent.line.wake()
        agent.say(ready="one")
        await agent.line.ready.wait()
        agent.line.wake()
        agent.line.wake()
        running = asyncio.ensure_future(agent.line.run(["true"], wait_s=5))
        assert await agent.reader.readline() == b"\n"
        assert await agent.reader.readline() == b"\n"
        request = await agent.heard()
        agent.say(id=request["id"], rc=0, out="", err="")
        assert (await running)["rc"] == 0

    played(scene)
