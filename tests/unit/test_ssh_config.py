"""The part of an SSH configuration that concerns one host gives the same options as the whole file."""

import asyncio
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tasks.core.connectors import ssh_config
from tasks.core.connectors.ssh_config import forget, of_host

TEXT = """\
User everybody
Host alvin
  HostName 172.16.0.11
  Port 2022

# a comment
Host simon theodore
  HostName = 172.16.0.12
host=vault
  HostName 172.16.0.13
Host 172.16.*
  User patterned
Host alvin !simon
  ConnectTimeout 7
Host *
  User last
  Compression yes
"""
OPTIONS = ("host", "port", "username", "connect_timeout", "compression_algs")


def options(host: str, *paths: str) -> dict[str, Any]:
    made = asyncio.run(asyncssh.SSHClientConnectionOptions.construct(host=host, config=list(paths), known_hosts=None))
    return {name: getattr(made, name) for name in OPTIONS} | {"hostname": made.config.get("Hostname")}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("host", ["alvin", "simon", "theodore", "vault", "172.16.0.14", "nobody"])
def test_options_are_those_of_the_whole_file(config: Path, host: str) -> None:
    (part,) = of_host([str(config)], host)
    assert part != str(config)
    assert options(host, part) == options(host, str(config))


def test_blocks_of_other_hosts_are_empty_lines(config: Path) -> None:
    ((part, whole),) = of_host([str(config)], "vault").items()
    lines = Path(part).read_text().splitlines()
    assert (whole, len(lines)) == (str(config), len(TEXT.splitlines()))
    kept = [line for line in lines if line.startswith("Host ") or "=" in line]
    assert kept == ["host=vault", "Host 172.16.*", "Host alvin !simon", "Host *"]
    assert lines.index("host=vault") == TEXT.splitlines().index("host=vault")


def test_copies_are_private_and_deleted(config: Path) -> None:
    parts = of_host([str(config)], "alvin")
    (part,) = map(Path, parts)
    assert part.parent.stat().st_mode & 0o777 == 0o700
    forget(parts)
    assert not part.exists()
    assert config.exists()


@pytest.mark.parametrize("line", ["Match final", "match host alvin", "Include other", "CanonicalizeHostname yes"])
def test_file_that_is_judged_later_is_used_as_it_is(config: Path, line: str) -> None:
    config.write_text(f"{TEXT}{line}\n  User somebody\n")
    assert of_host([str(config)], "alvin") == {str(config): str(config)}


@pytest.mark.parametrize("text", ["User kim\n", "", "Host \xff\n"])
def test_file_without_blocks_or_that_cannot_be_read_is_used_as_it_is(config: Path, text: str) -> None:
    config.write_bytes(text.encode("latin-1"))
    assert of_host([str(config)], "alvin") == {str(config): str(config)}
    assert of_host([str(config.with_name("none"))], "alvin") == {str(config.with_name("none")): str(config.with_name("none"))}


def test_edited_file_is_read_again(config: Path) -> None:
    of_host([str(config)], "alvin")
    config.write_text(TEXT.replace("172.16.0.11", "172.16.0.99"))
    assert "172.16.0.99" in Path(next(iter(of_host([str(config)], "alvin")))).read_text()


def test_users_own_configuration_is_taken_where_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert of_host((), "alvin") == {}
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(TEXT)
    assert list(of_host((), "alvin").values()) == [str(tmp_path / ".ssh" / "config")]
    assert ssh_config.DEFAULT == "~/.ssh/config"
