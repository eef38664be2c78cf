"""Whether a host's key is the known one, for each way in which known_hosts and the SSH configuration can define it, on real connections."""

import base64
import hmac
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from fake_sshd import OpenDoor, listening
from napalm.base.exceptions import ConnectionException

from napalm_ifupdown2 import Ifupdown2Driver
from tasks.core.connectors.ssh import Channel
from tasks.core.model.errors import LinkError

KEY, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
NISTP = asyncssh.generate_private_key("ecdsa-sha2-nistp256")


class Door(OpenDoor):
    """Counts the clients that accepted the server's key: only they get this far."""

    entered = 0

    def begin_auth(self, username: str) -> bool:
        del username
        Door.entered += 1
        return False


async def nothing(process: asyncssh.SSHServerProcess) -> None:
    """Accepts any command, and exits."""
    await process.stdin.read()
    process.exit(0)


def line(key: asyncssh.SSHKey, names: str) -> str:
    return f"{names} {key.export_public_key().decode()}"


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(hmac.digest(salt, name.encode(), 'sha1')).decode()}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder without keys, SSH agent or known hosts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    Door.entered = 0


@pytest.fixture
def port() -> Iterator[int]:
    with listening(KEY, door=Door, process_factory=nothing) as port:
        yield port


def configured(folder: Path, port: int, *words: str) -> str:
    """An SSH configuration with these words for `alvin`, after the lines that lead to him; FOLDER and PORT are placeholders."""
    path = folder / "ssh_config"
    printed = "\n  ".join(words).replace("FOLDER", str(folder))
    path.write_text(f"Host alvin\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  GlobalKnownHostsFile none\n  {printed}\n")
    return str(path)


def connect(folder: Path, port: int, *words: str) -> None:
    channel = Channel.open("alvin", ssh_config=configured(folder, port, *words))
    assert channel.run("true", b"", 5)[0] == 0
    channel.abort()


def refused(folder: Path, port: int, *words: str) -> str:
    with pytest.raises(LinkError) as raised:
        Channel.open("alvin", ssh_config=configured(folder, port, *words))
    assert Door.entered == 0
    return str(raised.value)


ACCEPTED = {
    "by-address-and-port": (lambda port: line(KEY, f"[127.0.0.1]:{port}"), ()),
    "by-address-alone": (lambda _: line(KEY, "127.0.0.1"), ()),
    "hashed": (lambda port: line(KEY, hashed(f"[127.0.0.1]:{port}")), ()),
    "by-pattern": (lambda _: line(KEY, "[127.0.0.*]:*"), ()),
    "by-alias": (lambda _: line(KEY, "alvin"), ("HostKeyAlias alvin",)),
    "by-alias-in-capitals": (lambda _: line(KEY, "Alvin"), ("HostKeyAlias ALVIN",)),
    "second-key-of-the-host": (lambda _: line(OTHER, "127.0.0.1") + line(KEY, "127.0.0.1"), ()),
    "beside-a-comment-that-is-not-utf-8": (lambda _: "# B\udcfcro\n" + line(KEY, "127.0.0.1"), ()),
    "beside-a-key-of-an-unknown-type": (lambda _: "127.0.0.1 ssh-new AAAA\n" + line(KEY, "127.0.0.1"), ()),
    "revoked-for-another": (lambda _: f"@revoked simon {line(KEY, '')}" + line(KEY, "127.0.0.1"), ()),
}


@pytest.mark.parametrize(("text", "words"), ACCEPTED.values(), ids=ACCEPTED)
def test_known_key_is_accepted(tmp_path: Path, port: int, text, words: tuple[str, ...]) -> None:
    (tmp_path / "known").write_text(text(port), errors="surrogateescape")
    connect(tmp_path, port, "UserKnownHostsFile FOLDER/known", *words)


FILES = {
    "second-of-two": "UserKnownHostsFile FOLDER/missing FOLDER/known",
    "the-users-own": "",
    "the-global-one": "UserKnownHostsFile FOLDER/missing\n  GlobalKnownHostsFile FOLDER/known",
    "the-global-one-alone": "UserKnownHostsFile none",
}


@pytest.mark.parametrize("words", FILES.values(), ids=FILES)
def test_every_file_of_known_hosts_is_read(tmp_path: Path, port: int, words: str) -> None:
    (tmp_path / ".ssh").mkdir()
    for path in (tmp_path / "known", tmp_path / ".ssh" / "known_hosts"):
        path.write_text(line(KEY, "127.0.0.1"))
    (tmp_path / "ssh_config").write_text(
        f"Host alvin\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  {words.replace('FOLDER', str(tmp_path))}\n"
        f"  GlobalKnownHostsFile {tmp_path}/known\n"
    )
    Channel.open("alvin", ssh_config=str(tmp_path / "ssh_config")).abort()


DIFFERENT = {
    "by-address-and-port": (lambda port: line(OTHER, f"[127.0.0.1]:{port}"), ()),
    "hashed": (lambda port: line(OTHER, hashed(f"[127.0.0.1]:{port}")), ()),
    "by-pattern": (lambda _: line(OTHER, "[127.0.0.*]:*"), ()),
    "by-alias": (lambda _: line(OTHER, "alvin") + line(KEY, "127.0.0.1"), ("HostKeyAlias alvin",)),
    "although-right-for-another-name": (lambda port: line(OTHER, f"[127.0.0.1]:{port}") + line(KEY, "simon"), ()),
    "beside-another-type": (lambda port: line(NISTP, f"[127.0.0.1]:{port}") + line(OTHER, f"[127.0.0.1]:{port}"), ()),
}


@pytest.mark.parametrize(("text", "words"), DIFFERENT.values(), ids=DIFFERENT)
def test_key_that_differs_is_an_alarm(tmp_path: Path, port: int, text, words: tuple[str, ...]) -> None:
    known = tmp_path / "known"
    known.write_text(f"# of the rack\n{text(port)}")
    place = next(number for number, each in enumerate(known.read_text().splitlines(), 1) if OTHER.export_public_key().decode()[:60] in each)
    printed = refused(tmp_path, port, f"UserKnownHostsFile {tmp_path}/missing {known}", *words)
    assert printed.startswith("alvin: ALARM: its host key DIFFERS from known_hosts: ")
    assert f"offered ssh-ed25519 {KEY.get_fingerprint()}, known ssh-ed25519 {OTHER.get_fingerprint()} ({known}:{place})" in printed
    assert [word for word in ("ssh-keyscan", " add ", "not in known_hosts") if word in printed] == []


def test_the_napalm_driver_reports_the_same(tmp_path: Path, port: int) -> None:
    (tmp_path / "known").write_text(line(OTHER, "alvin"))
    path = configured(tmp_path, port, "UserKnownHostsFile FOLDER/known", "HostKeyAlias alvin")
    with pytest.raises(ConnectionException, match="alvin: ALARM: its host key DIFFERS from known_hosts") as raised:
        Ifupdown2Driver("alvin", "root", "", optional_args={"ssh_config_file": path}).open()
    assert f"{OTHER.get_fingerprint()} ({tmp_path}/known:1)" in str(raised.value)
    assert Door.entered == 0


def test_unknown_key_is_reported_with_its_type_and_fingerprint(tmp_path: Path, port: int) -> None:
    (tmp_path / "known").write_text(line(OTHER, "simon") + line(OTHER, "127.0.0.1"))
    printed = refused(tmp_path, port, "UserKnownHostsFile FOLDER/known")
    assert printed.startswith(f"alvin: its host key is not in known_hosts ({tmp_path}/known): ssh-ed25519 {KEY.get_fingerprint()}.")
    assert "then add it with ssh-keyscan" in printed


def test_key_of_another_type_is_not_a_known_key(tmp_path: Path, port: int) -> None:
    (tmp_path / "known").write_text(line(NISTP, "alvin"))
    printed = refused(tmp_path, port, "UserKnownHostsFile FOLDER/known", "HostKeyAlias alvin")
    assert f"not in known_hosts ({tmp_path}/known): ssh-ed25519 {KEY.get_fingerprint()}" in printed
    assert f"known_hosts has another key of this host: ecdsa-sha2-nistp256 {NISTP.get_fingerprint()} ({tmp_path}/known:1)" in printed
    assert "ssh-keyscan" not in printed


def test_known_key_is_asked_for_where_the_host_has_several(tmp_path: Path) -> None:
    (tmp_path / "known").write_text(line(NISTP, "127.0.0.1"))
    with listening(KEY, NISTP, door=Door, process_factory=nothing) as port:
        connect(tmp_path, port, "UserKnownHostsFile FOLDER/known")


@pytest.mark.parametrize("names", ["127.0.0.1", "*"])
def test_revoked_key_is_an_alarm_at_every_port(tmp_path: Path, port: int, names: str) -> None:
    (tmp_path / "known").write_text(f"@revoked {line(KEY, names)}{line(KEY, f'[127.0.0.1]:{port}')}")
    printed = refused(tmp_path, port, "UserKnownHostsFile FOLDER/known")
    assert printed.startswith("alvin: ALARM: its host key is revoked: ")
    assert f"{KEY.get_fingerprint()} ({tmp_path}/known:1)" in printed


def certified(authority: asyncssh.SSHKey, *names: str) -> tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]:
    return KEY, authority.generate_host_certificate(KEY, "alvin", principals=list(names))


def test_host_certificate_of_a_known_authority_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "known").write_text(f"@cert-authority {line(OTHER, 'alvin')}")
    with listening(certified(OTHER, "alvin"), door=Door, process_factory=nothing) as port:  # type: ignore[arg-type]
        connect(tmp_path, port, "UserKnownHostsFile FOLDER/known", "HostKeyAlias alvin")


def test_host_certificate_of_another_authority_is_an_alarm(tmp_path: Path) -> None:
    (tmp_path / "known").write_text(f"@cert-authority {line(OTHER, 'alvin')}")
    with listening(certified(NISTP, "alvin"), door=Door) as port:  # type: ignore[arg-type]
        printed = refused(tmp_path, port, "UserKnownHostsFile FOLDER/known", "HostKeyAlias alvin")
    assert f"authority of its host certificate DIFFERS from known_hosts: offered ecdsa-sha2-nistp256 {NISTP.get_fingerprint()}" in printed
    assert f"{OTHER.get_fingerprint()} ({tmp_path}/known:1)" in printed


def test_host_without_a_certificate_of_its_known_authority_is_refused(tmp_path: Path, port: int) -> None:
    (tmp_path / "known").write_text(f"@cert-authority {line(OTHER, 'alvin')}")
    printed = refused(tmp_path, port, "UserKnownHostsFile FOLDER/known", "HostKeyAlias alvin")
    assert f"not in known_hosts ({tmp_path}/known): ssh-ed25519 {KEY.get_fingerprint()}" in printed
    assert "ssh-keyscan" not in printed


UNCHECKED = {
    "none": ("UserKnownHostsFile none", "the SSH configuration says `UserKnownHostsFile none`"),
    "none-in-capitals": ('UserKnownHostsFile "NONE"', "the SSH configuration says `UserKnownHostsFile none`"),
    "dev-null": ("UserKnownHostsFile /dev/null", "its host key is not in known_hosts (/dev/null): ssh-ed25519 SHA256:"),
    "no-strictness": ("StrictHostKeyChecking no", "its host key is not in known_hosts"),
    "new-ones-accepted": ("StrictHostKeyChecking accept-new", "its host key is not in known_hosts"),
    "folder": ("UserKnownHostsFile FOLDER", "known_hosts cannot be read: Is a directory"),
    "broken-line": ("UserKnownHostsFile FOLDER/broken", "/broken:2: this line of known_hosts is not understood"),
    "unknown-marker": ("UserKnownHostsFile FOLDER/marked", "/marked:1: this line of known_hosts is not understood"),
}


@pytest.mark.parametrize(("words", "message"), UNCHECKED.values(), ids=UNCHECKED)
def test_no_option_skips_the_check(tmp_path: Path, port: int, words: str, message: str) -> None:
    (tmp_path / "broken").write_text(f"{line(KEY, '127.0.0.1')}alone\n")
    (tmp_path / "marked").write_text(f"@revokd {line(KEY, '*')}")
    assert message in refused(tmp_path, port, words)


def test_jump_hosts_key_is_checked_too(tmp_path: Path, port: int) -> None:
    (tmp_path / "known").write_text(line(KEY, "alvin") + line(KEY, "gate"))

    class Gate(Door):
        def connection_requested(self, *_: object) -> bool:
            return True

    with listening(KEY, door=Gate) as gate:
        path = Path(configured(tmp_path, port, "UserKnownHostsFile FOLDER/known", "HostKeyAlias alvin", "ProxyJump root@gate"))
        text = path.read_text()
        path.write_text(
            f"{text}Host gate\n  HostName 127.0.0.1\n  Port {gate}\n  HostKeyAlias gate\n  UserKnownHostsFile FOLDER/known\n".replace(
                "FOLDER", str(tmp_path)
            )
        )
        channel = Channel.open("alvin", ssh_config=str(path))
        assert channel.run("true", b"", 5)[0] == 0
        channel.abort()
        path.write_text(f"{text}Host gate\n  HostName 127.0.0.1\n  Port {gate}\n  UserKnownHostsFile none\n  GlobalKnownHostsFile none\n")
        with pytest.raises(LinkError, match="gate: its host key cannot be checked"):
            Channel.open("alvin", ssh_config=str(path))
