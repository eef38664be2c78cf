"""Audits of the host checks over a fleet: one sshd on many loopback addresses, read by Burrow and, where they are installed, by others.

    python benchmarks/fleet.py [HOSTS ...]        (default: 50 200 500; as root, with /usr/sbin/sshd)

Beside Burrow run, in turn: asyncssh with the same connections and one command; asyncssh with Burrow's own commands in one exec; netmiko by
Nornir; pyinfra; ansible-core with pipelining. Figures are ratios within one run, of wall time and of the controller's processor time. The
fleet's own work is on the same processors, and is in every wall time.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from timing import ROOT, table

PORT = 2022
SSHD = """\
Port {port}
ListenAddress 0.0.0.0
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
MaxStartups 1000
PermitRootLogin yes
"""
PLAIN = """
import asyncio, asyncssh, sys
COMMAND = {command!r}
async def one(host, limit):
    async with limit, asyncssh.connect(host, config=[{config!r}], known_hosts={known!r}) as connection:
        await connection.run(COMMAND, input={stdin!r}, encoding=None)
async def main():
    limit = asyncio.Semaphore(32)
    await asyncio.gather(*(one(host, limit) for host in {hosts!r}))
asyncio.run(main())
"""
NETMIKO = """
from nornir.core.inventory import Inventory, Hosts, Host, Defaults, Groups
from nornir.core import Nornir
from nornir.plugins.runners import ThreadedRunner
from netmiko import ConnectHandler
def read(task):
    with ConnectHandler(device_type="linux", host=task.host.hostname, port={port}, username="root", use_keys=True, key_file={key!r}) as one:
        one.send_command("true")
hosts = Hosts({{name: Host(name, name) for name in {hosts!r}}})
assert not Nornir(Inventory(hosts, Groups(), Defaults()), runner=ThreadedRunner(32)).run(read).failed
"""


@contextmanager
def fleet(folder: Path) -> Iterator[None]:
    """The sshd, while the block runs."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "sshd_config").write_text(SSHD.format(port=PORT, folder=folder))
    Path("/run/sshd").mkdir(exist_ok=True)
    daemon = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", folder / "sshd_config"], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def hosts(count: int) -> list[str]:
    """The addresses of the fleet."""
    return [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(count)]


def site(folder: Path, count: int) -> Path:
    """A site whose hosts are the fleet."""
    where = folder / f"site-{count}"
    where.mkdir()
    public = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known").write_text(f"[127.*]:{PORT} {public}\n")
    (folder / "ssh_config").write_text(
        f"Host *\n  User root\n  Port {PORT}\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known\n"
        + "".join(f"Host h{number:05}\n  HostName {address}\n" for number, address in enumerate(hosts(count)))
    )
    rows = (f"h{number:05}: {{groups: [node], address: 172.16.{number // 250}.{number % 250 + 1}/16}}\n" for number in range(count))
    (where / "hosts.yaml").write_text("".join(rows))
    (where / "groups.yaml").write_text("node: {platform: ifupdown2, link: ssh, management: vmbr0, ports: {eno1: {}}}\n")
    (where / "defaults.yaml").write_text("domain: example.org\nname_servers: [192.168.103.1]\ntime_servers: [192.168.103.1]\n")
    (where / "cables.yaml").write_text("cables: []\n")
    (where / "site.yaml").write_text(f"ssh_config: {folder}/ssh_config\n")
    return where


def request(where: Path) -> tuple[str, bytes]:
    """The exec with which Burrow reads the first host: its command and its standard input."""
    from runbooks.audit import RUNBOOK  # noqa: PLC0415
    from tasks.core.connectors.agent_session import LOADER, payload  # noqa: PLC0415
    from tasks.core.engine.execute import open_run  # noqa: PLC0415
    from tasks.core.engine.runbook import Options  # noqa: PLC0415
    from tasks.core.engine.selection import chosen_stages, needs_of_run  # noqa: PLC0415

    options = Options(site=str(where), tags=("host",))
    run = open_run(options)
    host, facts = next(iter(needs_of_run(chosen_stages(RUNBOOK, options), run, options).items()))
    commands = {fact.name: fact.on(run.site, host).command for fact in facts}
    return LOADER, payload({"op": "read", "facts": commands, "run": None, "deadline_s": 60})


def others(folder: Path, count: int) -> dict[str, list[str]]:
    """{name: command line} of those that are installed."""
    names, (loader, stdin) = hosts(count), request(folder / f"site-{count}")
    shared = {"config": f"{folder}/ssh_config", "known": f"{folder}/known", "hosts": names}
    found = {
        "asyncssh, one command": [sys.executable, "-c", PLAIN.format(command="true", stdin=b"", **shared)],
        "asyncssh, Burrow's commands in one exec": [sys.executable, "-c", PLAIN.format(command=loader, stdin=stdin, **shared)],
        "netmiko by Nornir, one command": [sys.executable, "-c", NETMIKO.format(port=PORT, key=f"{folder}/user", hosts=names)],
    }
    ssh = ["--ssh-user", "root", "--ssh-port", str(PORT), "--ssh-key", f"{folder}/user"]
    if tool := shutil.which("pyinfra"):
        found["pyinfra, one command"] = [tool, "-y", "--parallel", "32", *ssh, ",".join(names), "exec", "--", "true"]
    if tool := shutil.which("ansible"):
        listed = ",".join(names)
        found["ansible-core with pipelining, one command"] = [tool, "all", "-i", f"{listed},", "-f", "32", "-m", "raw", "-a", "true"]
    return found


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """(wall seconds, processor seconds) of a command. Raises CalledProcessError where it failed; an audit that found something did not."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    after, wall_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    if done.returncode not in ((0, 1) if "runbooks/audit.py" in command else (0,)):
        raise SystemExit(f"{command[:2]} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one table for each size."""
    sizes = [int(word) for word in sys.argv[1:]] or [50, 200, 500]
    with TemporaryDirectory() as name, fleet(Path(name)):
        folder = Path(name)
        environment = {
            **os.environ,
            "XDG_STATE_HOME": f"{folder}/state",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_PRIVATE_KEY_FILE": f"{folder}/user",
            "ANSIBLE_REMOTE_PORT": str(PORT),
            "ANSIBLE_REMOTE_USER": "root",
            "ANSIBLE_SSH_COMMON_ARGS": f"-F {folder}/ssh_config",
        }
        for count in sizes:
            where = site(folder, count)
            commands = {"Burrow": [sys.executable, "runbooks/audit.py", "--tags", "host", "--site", str(where)], **others(folder, count)}
            figures = {one: measured(command, environment) for one, command in commands.items()}
            plain, same = figures["asyncssh, one command"], figures["asyncssh, Burrow's commands in one exec"]
            rows = [
                (one, f"{wall:.1f} s", f"{wall / same[0]:.2f}", f"{processor:.1f} s", f"{processor / plain[1]:.2f}")
                for one, (wall, processor) in figures.items()
            ]
            head = (f"{count} hosts", "wall", "to the same commands", "processor", "to one command by asyncssh")
            table([head, *rows])


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]
    main()
