"""Unmanaged exports around a managed one: the plan predicts, as the kernel does it, whether v4 clients reach it with its own options."""

import pytest
from rehearsal import Lab

pytestmark = pytest.mark.lab

SERVER, DATA, OLD = "192.168.103.114", "/mnt/Vault/Data", "/etc/exports.d/old.exports"
# Root of a client may write there only with the options of the inventory.
REACHED = f"""
mkdir -p /root/seen && mount -t nfs4 -o soft,retry=0 {SERVER}:{DATA} /root/seen || exit 1
touch /root/seen/by-root && [ "$(stat -c %u /root/seen/by-root)" = 0 ]; code=$?
rm -f /root/seen/by-root; umount /root/seen; exit $code
"""
OTHERS = {
    "/srv/nfs4 172.16.0.0/16(ro,fsid=0,crossmnt)": "makes /srv/nfs4 the root of all v4 clients",
    "/srv/nfs4 10.1.0.0/16(ro,fsid=root)": "makes /srv/nfs4 the root of all v4 clients",
    "/ 172.16.0.0/16(ro,fsid=0)": "makes / the root of all v4 clients",
    "/mnt/Vault 172.16.0.0/16(ro,crossmnt)": "exports /mnt/Vault, whose options apply to /mnt/Vault/Data for v4 clients",
    "/mnt/Vault *(ro)": "exports /mnt/Vault, whose options apply to /mnt/Vault/Data for v4 clients",
    "/mnt 172.16.0.0/16(ro,crossmnt)": "exports /mnt, whose options apply to /mnt/Vault/Data for v4 clients",
    "/mnt 172.16.0.0/16(ro)": "",
    "/ 172.16.0.0/16(ro)": "",
    "/mnt/Vault 10.1.0.0/16(ro,crossmnt)": "",
    "/mnt/Vault 172.16.0.0/16(rw,no_root_squash)": "",
}


@pytest.fixture(scope="module", autouse=True)
def built(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    """The exports on fresh hosts. One of them then differs from the inventory, so that there is something to plan."""
    assert lab.runbook("bootstrap", "--stage", "storage").code == 0
    assert lab.sh("alvin", f"{REACHED}") == ""
    lab.sh("vault", "mkdir -p /srv/nfs4 && chmod 0700 /mnt/Flash/Configs")


@pytest.mark.parametrize("line", OTHERS)
def test_what_is_foretold_is_what_the_kernel_does(lab: Lab, line: str) -> None:
    lab.sh("vault", f"echo '{line}' > {OLD} && exportfs -ra 2>&1")
    reached = lab.sh("alvin", f"({REACHED}) >/dev/null 2>&1 && echo reached", check=False) == "reached\n"
    done = lab.runbook("bootstrap", "--stage", "storage", "--dry-run")
    lab.sh("vault", f"rm {OLD} && exportfs -ra")
    printed = " ".join(done.out.split())
    assert reached is not bool(OTHERS[line]), done.out
    assert done.code == (2 if reached else 3), done.out
    assert f"{OLD}:1 {OTHERS[line]}" in printed if OTHERS[line] else OLD not in printed
