"""NAPALM drivers of vendors send no login to a device whose key or certificate is not the known one."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from fake_sshd import OpenDoor, listening
from nornir import InitNornir
from nornir.core import Nornir

from tasks.core.connectors.napalm_connection import device
from tasks.core.model.errors import LinkError

HOME = Path(__file__).parents[2] / "examples" / "home"
KEY, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))


class Door(OpenDoor):
    """Records the logins that clients tried."""

    tried = 0

    def begin_auth(self, username: str) -> bool:
        del username
        Door.tried += 1
        return True


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    Door.tried = 0


def vendors(folder: Path, platform: str, **options: object) -> Nornir:
    """The home site with a switch of this platform, and its password in the inventory."""
    shutil.copytree(HOME, folder / "site")
    hosts = folder / "site" / "hosts.yaml"
    hosts.write_text(hosts.read_text().replace("platform: eos", f"platform: {platform}"))
    nornir = InitNornir(
        inventory={"plugin": "BurrowInventory", "options": {"folder": str(folder / "site"), **options}}, logging={"enabled": False}
    )
    nornir.inventory.hosts["attic"].hostname = "127.0.0.1"
    nornir.inventory.hosts["attic"].username, nornir.inventory.hosts["attic"].password = "ops", "secret"
    return nornir


def reason_of(nornir: Nornir, port: int) -> str:
    attic = nornir.inventory.hosts["attic"]
    attic.port = port
    with pytest.raises(LinkError) as raised:
        device(attic, nornir.config)
    return str(raised.value)


@pytest.mark.parametrize("platform", ["junos", "ios"])
@pytest.mark.parametrize(("known", "message"), [(OTHER, "ALARM: its host key DIFFERS from known_hosts"), (None, "not in known_hosts")])
def test_no_login_is_sent_to_an_unknown_ssh_key(tmp_path: Path, platform: str, known: asyncssh.SSHKey | None, message: str) -> None:
    (tmp_path / ".ssh").mkdir()
    with listening(KEY, door=Door) as port:
        if known is not None:
            (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {known.export_public_key().decode()}")
        reason = reason_of(vendors(tmp_path, platform), port)
    assert message in reason
    assert KEY.get_fingerprint() in reason
    assert Door.tried == 0


@pytest.mark.parametrize("platform", ["junos", "ios"])
def test_a_known_ssh_key_is_logged_in_to(tmp_path: Path, platform: str) -> None:
    (tmp_path / ".ssh").mkdir()
    with listening(KEY, door=Door) as port:
        (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {KEY.export_public_key().decode()}")
        reason = reason_of(vendors(tmp_path, platform), port)
    assert f"attic: its NAPALM driver ({platform}) does not connect" in reason
    assert Door.tried > 0


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    path = tmp_path / "self-signed.pem"
    subject = ("-subj", "/CN=attic", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path, "-out", f"{path}.crt", "-days", "2", *subject],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def eapi(certificate: Path) -> Iterator[tuple[int, list[bytes]]]:
    """A port that speaks TLS with that certificate, and the data that it received."""
    received: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    received.append(secure.recv(4096))
            except OSError:  # the client disconnected, as it should
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], received
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_no_login_is_sent_to_a_self_signed_certificate(tmp_path: Path, eapi: tuple[int, list[bytes]]) -> None:
    port, received = eapi
    reason = reason_of(vendors(tmp_path, "eos"), port)
    assert "attic: its NAPALM driver (eos) does not connect" in reason
    assert "certificate verify failed" in reason
    assert received == []


def test_a_certificate_of_the_sites_own_authority_is_logged_in_to(tmp_path: Path, eapi: tuple[int, list[bytes]], certificate: Path) -> None:
    port, received = eapi
    reason_of(vendors(tmp_path, "eos", api={"ca_file": f"{certificate}.crt"}), port)
    assert b"Authorization: Basic" in received[0]


def test_a_missing_authority_file_is_reported(tmp_path: Path, eapi: tuple[int, list[bytes]]) -> None:
    port, received = eapi
    assert "does not connect: [Errno 2]" in reason_of(vendors(tmp_path, "eos", api={"ca_file": f"{tmp_path}/none"}), port)
    assert received == []
