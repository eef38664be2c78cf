"""The agent and its units on the host: put there, put right, taken off."""

import hashlib
import shutil
import sys
from pathlib import Path

from tasks.core.agent import deferred, disk
from tasks.core.agent.state import BOOT_UNIT, DEFERRED_UNIT, PATHS, RETRY_UNIT

# Later than the boot's own unit, without a limit of starts: a file system may be mounted or have room by then, and a cluster may be silent
# for as long as it takes.
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
Description=Burrow: restore what was pending when the power went
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
    """A unit with this host's paths."""
    return UNITS[name].format_map(vars(PATHS))


def wanted(name: str) -> Path:
    """The link that enables a unit."""
    return PATHS.units / f"{UNITS[name].rpartition('WantedBy=')[2].strip()}.wants" / name


def install() -> None:
    """Put the agent and its units on the host, under a hash of its content; whatever differs there is put right."""
    program = PATHS.program.encode()
    folder = PATHS.library / hashlib.sha256(program).hexdigest()[:16]
    texts = {PATHS.units / name: unit_text(name).encode() for name in UNITS}
    for path, text, mode in ((folder / "burrow", program, 0o755), *((path, text, 0o644) for path, text in texts.items())):
        # A unit that is masked is a link.
        if path.is_symlink() or disk.content(path) != text or path.stat().st_mode & 0o7777 != mode:
            disk.write(path, text, {"mode": mode})
    for one in (PATHS.library, folder):
        if one.stat().st_mode & 0o7777 != 0o755:
            one.chmod(0o755)
    for link, target in ((PATHS.command, folder / "burrow"), *((wanted(path.name), path) for path in texts)):
        if not link.is_symlink() or link.readlink() != target:
            disk.make_folders(link.parent)
            disk.sweep(link)
            disk.leftover(link).symlink_to(target)
            disk.rename(disk.leftover(link), link)
    for old in PATHS.library.iterdir():
        if old != folder and not PATHS.pending.exists():
            shutil.rmtree(old)


def remove() -> None:
    """Take the agent off this host."""
    if PATHS.pending.exists():
        sys.exit("burrow: a transaction is open; `burrow revert` first")
    if left := deferred.left():
        give_up = f"`rm -r {PATHS.deferred}` gives it up"
        sys.exit(f"burrow: {left[0]['trouble']}: not undone yet; `burrow deferred` tries it now, {give_up}")
    for path in (*(path for name in UNITS for path in (wanted(name), PATHS.units / name)), PATHS.command):
        path.unlink(missing_ok=True)
    for folder in (PATHS.library, PATHS.shelf, PATHS.runtime, PATHS.home):
        shutil.rmtree(folder, ignore_errors=True)
    print("burrow is off this host; the configuration it wrote stays")
