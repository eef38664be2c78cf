"""Host keys with a real sshd: a run refuses a host when ssh(1) does, and reports the fingerprint that the host's own tools print."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from rehearsal import FOLDER, Done, Lab
from sites import variant

pytestmark = pytest.mark.lab


def site_with(folder: Path, known_hosts: str, configuration: str = "") -> str:
    """A site like the lab's, with its own known_hosts, and with a text in front of the SSH configuration."""
    site = variant(folder / "site")
    (folder / "known_hosts").write_text(known_hosts)
    text = (
        (FOLDER / "ssh_config").read_text().replace(f"UserKnownHostsFile {FOLDER}/known_hosts", f"UserKnownHostsFile {folder}/known_hosts")
    )
    (folder / "ssh_config").write_text(configuration + text)
    settings = Path(site) / "site.yaml"
    settings.write_text(settings.read_text().replace(f"{FOLDER}/ssh_config", f"{folder}/ssh_config"))
    return site


def ssh(folder: Path, host: str) -> Done:
    options = ["-F", str(folder / "ssh_config"), "-o", "BatchMode=yes"]
    done = subprocess.run(["ssh", *options, host, "true"], capture_output=True, text=True, timeout=60, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def made_key(folder: Path, kind: str) -> str:
    path = folder / kind
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def known() -> str:
    return (FOLDER / "known_hosts").read_text()


def audit(lab: Lab, site: str) -> str:
    done = lab.runbook("audit", "--site", site, "--limit", "alvin", "--tags", "host")
    assert done.code == 1, done.out + done.err
    return done.out


def offered(lab: Lab) -> str:
    """The fingerprint of alvin's key, as ssh-keygen on alvin prints it."""
    return lab.sh("alvin", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]


def test_key_that_differs_is_an_alarm(lab: Lab, tmp_path: Path) -> None:
    site = site_with(tmp_path, re.sub(r"^alvin .*$", f"alvin {made_key(tmp_path, 'ed25519')}", known(), flags=re.MULTILINE))
    out = audit(lab, site)
    assert ssh(tmp_path, "alvin").code == 255
    assert f"alvin: ALARM: its host key DIFFERS from known_hosts: offered ssh-ed25519 {offered(lab)}, known ssh-ed25519 SHA256:" in out
    assert f"({tmp_path}/known_hosts:1)" in out
    assert "ssh-keyscan" not in out


def test_key_of_a_type_that_is_not_known_is_refused(lab: Lab, tmp_path: Path) -> None:
    """sshd closes a connection whose client asks only for key types that sshd does not have."""
    site = site_with(tmp_path, re.sub(r"^alvin .*$", f"alvin {made_key(tmp_path, 'ecdsa')}", known(), flags=re.MULTILINE))
    out = audit(lab, site)
    assert ssh(tmp_path, "alvin").code == 255
    assert f"alvin: its host key is not in known_hosts ({tmp_path}/known_hosts, /dev/null): ssh-ed25519 {offered(lab)}." in out
    assert "known_hosts has another key of this host: ecdsa-sha2-nistp256 SHA256:" in out


def test_unknown_key_is_refused_whatever_the_configuration_says(lab: Lab, tmp_path: Path) -> None:
    site = site_with(tmp_path, "", "Host alvin\n  StrictHostKeyChecking no\n  UserKnownHostsFile none\n  ForwardAgent yes\n\n")
    assert "alvin: its host key cannot be checked: the SSH configuration says `UserKnownHostsFile none`" in audit(lab, site)


def test_hashed_known_hosts_are_read(lab: Lab, tmp_path: Path) -> None:
    path = shutil.copy(FOLDER / "known_hosts", tmp_path / "hashed")
    subprocess.run(["ssh-keygen", "-H", "-f", path], check=True, capture_output=True)
    site = site_with(tmp_path, Path(path).read_text())
    assert ssh(tmp_path, "alvin").code == 0
    code, report = lab.report("audit", "--site", site, "--limit", "alvin", "--tags", "host")
    assert report["unreachable"] == {}, (code, report["unreachable"])


def test_a_host_is_reached_through_another(lab: Lab, tmp_path: Path) -> None:
    """ProxyJump through simon. The SSH agent is not forwarded, although the configuration enables that."""
    address = lab.sh("alvin", "ip -4 -o addr show scope global").split("inet ")[1].split("/")[0]
    jump = f"Host alvin\n  HostName {address}\n  Port 22\n  ProxyJump root@simon\n\nHost *\n  ForwardAgent yes\n\n"
    site = site_with(tmp_path, known(), jump)
    assert ssh(tmp_path, "alvin").code == 0, ssh(tmp_path, "alvin").err
    code, report = lab.report("audit", "--site", site, "--limit", "alvin", "--tags", "host")
    assert "alvin" not in report["unreachable"], (code, report["unreachable"])
