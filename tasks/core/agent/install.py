"""Installs the agent and its units on the host, repairs them, and removes them."""

import hashlib
import shutil
import sys
from pathlib import Path

from tasks.core.agent import deferred, disk
from tasks.core.agent.state import BOOT_UNIT, DEFERRED_UNIT, PATHS, RETRY_UNIT

# These start later than the boot unit, and without a limit of starts: a file system may be mounted or have space by then, and a cluster may
# not answer for a long time.
LATER = """\
[Unit]
Description=Burrow: %s
After=%s
StartLimitIntervalSec=0
Condition%s

[Service]
ExecStart={command} %s
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
"""
UNITS = {
    BOOT_UNIT: """\
[Unit]
Description=Burrow: revert a pending transaction at boot
DefaultDependencies=no
RequiresMountsFor={home} /etc
After=systemd-remount-fs.service
Before=sysinit.target networking.service network-pre.target
ConditionPathExists={meta}

[Service]
Type=oneshot
ExecStart={command} boot

[Install]
WantedBy=sysinit.target
""",
    DEFERRED_UNIT: LATER % ("retry undo in a cluster", "network.target", "DirectoryNotEmpty={deferred}", "deferred"),
    RETRY_UNIT: LATER % ("retry a revert", "local-fs.target network.target pve-cluster.service", "PathExists={meta}", "retry"),
}


def unit_text(name: str) -> str:
    """The text of a unit, with this host's paths."""
    return UNITS[name].format_map(vars(PATHS))


def enabling_link(name: str) -> Path:
    """The link that enables a unit."""
    return PATHS.units / f"{UNITS[name].rpartition('WantedBy=')[2].strip()}.wants" / name


def install() -> None:
    """Install the agent, in a folder named by a hash of its content, and its units. Replace whatever differs on the host."""
    program = PATHS.program.encode()
    folder = PATHS.library / hashlib.sha256(program).hexdigest()[:16]
    texts = {PATHS.units / name: unit_text(name).encode() for name in UNITS}
    for path, text, mode in ((folder / "burrow", program, 0o755), *((path, text, 0o644) for path, text in texts.items())):
        # A masked unit is a link.
        if path.is_symlink() or disk.content(path) != text or path.stat().st_mode & 0o7777 != mode:
            disk.write(path, text, {"mode": mode})
    for one in (PATHS.library, folder):
        if one.stat().st_mode & 0o7777 != 0o755:
            one.chmod(0o755)
    for link, target in ((PATHS.command, folder / "burrow"), *((enabling_link(path.name), path) for path in texts)):
        if not link.is_symlink() or link.readlink() != target:
            disk.make_folders(link.parent)
            disk.delete(disk.temporary(link))
            disk.temporary(link).symlink_to(target)
            disk.rename(disk.temporary(link), link)
    for old in PATHS.library.iterdir():
        if old != folder and not PATHS.pending.exists():
            shutil.rmtree(old)


def remove() -> None:
    """Remove the agent from this host. Exits if a transaction is open or an undo is deferred."""
    if PATHS.pending.exists():
        sys.exit("burrow: a transaction is open; run `burrow revert` first")
    if left := deferred.left():
        remedies = f"to retry now, run `burrow deferred`; to give it up, run `rm -r {PATHS.deferred}`"
        sys.exit(f"burrow: {left[0]['trouble']}: not undone yet; {remedies}")
    for path in (*(path for name in UNITS for path in (enabling_link(name), PATHS.units / name)), PATHS.command):
        path.unlink(missing_ok=True)
    for folder in (PATHS.library, PATHS.shelf, PATHS.runtime, PATHS.home):
        shutil.rmtree(folder, ignore_errors=True)
    print("Burrow is removed from this host; the configuration that it wrote stays")
