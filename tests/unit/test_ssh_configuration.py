"""An SSH configuration that is invalid or unsupported, and what it never causes: forwarding, a terminal, or a command of its own."""

from pathlib import Path

import asyncssh
import pytest
from fake_sshd import listening
from test_host_keys import KEY, Door, configured, connect, home, line, port

from tasks.core.connectors.ssh import Channel
from tasks.core.model.errors import LinkError

__all__ = ["home", "port"]  # fixtures

CONFIGURATIONS = {
    "bad-match": ("Match nonsense\n", "line 7"),
    "match-without-a-word": ("Match !\n", "cannot be used"),
    "bad-port": ("Port many\n", "cannot be used"),
    "unknown-token": ("IdentityFile %Z\n", "cannot be used"),
    "not-utf-8": ("# B\udcfcro\n", "cannot be used"),
    "open-quote": ('User "root\n', "line 7"),
}


@pytest.mark.parametrize(("text", "message"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_invalid_ssh_configuration_is_one_message(tmp_path: Path, port: int, text: str, message: str) -> None:
    path = Path(configured(tmp_path, port))
    path.write_text(path.read_text() + text, errors="surrogateescape")
    with pytest.raises(LinkError, match="alvin: the SSH configuration") as raised:
        Channel.open("alvin", ssh_config=str(path))
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


UNUSABLE = {
    "key that is none": "IdentityFile FOLDER/known",
    "port that is none": "Port 99999",
    "name that is none": f"HostName {'x' * 70}.example.org",
    "jump without a port": "ProxyJump gate:many",
}


@pytest.mark.parametrize("words", UNUSABLE.values(), ids=UNUSABLE)
def test_unsupported_option_is_one_message(tmp_path: Path, port: int, words: str) -> None:
    (tmp_path / "known").write_text(line(KEY, "127.0.0.1"))
    path = tmp_path / "ssh_config"
    first = words.replace("FOLDER", str(tmp_path))
    path.write_text(f"Host alvin\n  {first}\n  HostName 127.0.0.1\n  Port {port}\n  UserKnownHostsFile {tmp_path}/known\n")
    with pytest.raises(LinkError, match="alvin: no SSH connection: "):
        Channel.open("alvin", ssh_config=str(path))


def test_nothing_is_forwarded_to_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No agent, no display, no terminal and none of its commands, whatever the SSH configuration allows."""
    asked: list[str | None] = []
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    monkeypatch.setenv("DISPLAY", ":9")
    (tmp_path / "known").write_text(line(KEY, "127.0.0.1"))

    async def shell(process: asyncssh.SSHServerProcess) -> None:
        await process.stdin.read()
        channel = process.channel
        asked.extend((channel.get_command(), channel.get_terminal_type(), channel.get_agent_path(), channel.get_x11_display()))
        process.exit(0)

    with listening(KEY, door=Door, process_factory=shell, agent_forwarding=True, x11_forwarding=True) as port:
        words = ("ForwardAgent yes", "ForwardX11Trusted yes", "ForwardX11 yes", "RequestTTY force", "RemoteCommand reboot")
        local = f"PermitLocalCommand yes\n  LocalCommand touch {tmp_path}/ran"
        connect(tmp_path, port, "UserKnownHostsFile FOLDER/known", *words, local)
    assert asked == ["true", None, None, None]
    assert not (tmp_path / "ran").exists()
