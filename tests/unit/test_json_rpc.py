"""JSON-RPC over a real WebSocket with TLS, on loopback."""

import datetime as dt
import json
import ssl
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from truenas_device import Device, Wire
from websockets.sync.server import ServerConnection, serve

from tasks.core.connectors.json_rpc import ApiConnection
from tasks.core.model.errors import LinkError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vault")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "vault.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """The port of a TrueNAS that accepts one API key."""

    def answer(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/api/current"
        wire = Wire(Device())
        for message in connection:
            wire.send(str(message))
            while wire.waiting:
                connection.send(wire.recv())
            if json.loads(message)["method"] == "core.ping":
                return

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with serve(answer, "127.0.0.1", 0, ssl=tls) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def extras(tmp_path: Path, certificate: Path) -> dict[str, str]:
    (tmp_path / "key").write_text("the-key\n")
    (tmp_path / "key").chmod(0o600)
    return {"user": "burrow", "key_file": str(tmp_path / "key"), "ca_file": str(certificate)}


def test_a_call_is_answered_over_tls_and_a_closed_connection_is_noticed(port: int, extras: dict[str, str]) -> None:
    connection = ApiConnection()
    connection.open("127.0.0.1", None, None, port, None, extras)
    assert connection.connection.call("core.ping", []) == "pong"
    with pytest.raises(LinkError, match="the connection to its API broke"):
        connection.connection.call("core.ping", [])
    connection.close()


def test_an_unknown_key_is_refused(port: int, extras: dict[str, str]) -> None:
    Path(extras["key_file"]).write_text("another")
    with pytest.raises(LinkError, match="rejects the key of burrow"):
        ApiConnection().open("127.0.0.1", None, None, port, None, extras)


def test_an_unknown_certificate_is_refused_before_the_key_is_sent(port: int, extras: dict[str, str]) -> None:
    with pytest.raises(LinkError, match="certificate verify failed"):
        ApiConnection().open("127.0.0.1", None, None, port, None, {**extras, "ca_file": ""})


KEYS = {
    "nothing": (b"", 0o600, "found 0 words"),
    "two words": (b"the key", 0o600, "found 2 words"),
    "not UTF-8": (b"\xff\xfe", 0o600, "found the byte 0xff"),
    "control character": (b"the-key\x1b", 0o600, "found the byte 0x1b"),
    "everybody's": (b"the-key\n", 0o644, "found mode 0644, which lets other users read it; run chmod 600 "),
    "the group's": (b"the-key\n", 0o640, "found mode 0640"),
}


@pytest.mark.parametrize(("content", "mode", "message"), KEYS.values(), ids=KEYS)
def test_invalid_or_readable_key_file_is_refused(extras: dict[str, str], content: bytes, mode: int, message: str) -> None:
    Path(extras["key_file"]).write_bytes(content)
    Path(extras["key_file"]).chmod(mode)
    with pytest.raises(LinkError) as raised:
        ApiConnection().open("127.0.0.1", None, None, 1, None, extras)
    assert f"the key of its API cannot be read: wanted one word in {extras['key_file']}, {message}" in str(raised.value)
    assert "the-key" not in str(raised.value)


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_file_without_certificates_is_refused(extras: dict[str, str], tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "authority"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LinkError, match=f"wanted certificates in {path}, found none: .*; correct api_ca_file"):
        ApiConnection().open("127.0.0.1", None, None, 1, None, {**extras, "ca_file": str(path)})


def test_a_closed_port_is_an_error_of_the_link(extras: dict[str, str]) -> None:
    with pytest.raises(LinkError, match="its API is unreachable on port 1"):
        ApiConnection().open("127.0.0.1", None, None, 1, None, extras)
