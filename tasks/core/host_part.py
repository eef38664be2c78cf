#!/usr/bin/python3 -I
"""Burrow's part on a host: the only thing that restores, and it needs nothing but Python's standard library and systemd.

A transaction is a folder, /var/lib/burrow/pending, that is on disk before the first byte of the host changes: its token, backups of
every file and live value that it touches, and what to run. A systemd timer restores it unless it is confirmed; at boot, before the
network, whatever is still pending is restored. All times are monotonic, so a clock that jumps changes nothing.

A revert is on disk as `reverting` before it changes the first byte, and ends only when every file is back: until then it is tried again,
by a unit of its own, and nobody can confirm it. It needs no new space: the old inode of each file is kept by a hard link and renamed
back, and what has to be written down lies ready in the pending folder.

What a transaction did elsewhere, to the cluster that this host speaks for, no boot and no file here takes back: its undo is owed, which
is on disk too, and tried by a unit of its own until it succeeds. It keeps nobody from changing this host meanwhile.

On the host's own console:  burrow status | burrow revert | burrow give-up | burrow owed | burrow remove
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HOME = Path("/var/lib/burrow")
PENDING, LEASE, RECORD, BACKUPS = HOME / "pending", HOME / "lease.json", HOME / "record.jsonl", HOME / "backups"
# Lasts as long as a boot: why a revert is not complete yet.
RUNTIME = Path("/run/burrow")
# Where inodes wait whose file system is not that of HOME: no daemon reads it.
SHELF = Path("/etc/.burrow")
LIBRARY, COMMAND, UNIT = Path("/usr/local/lib/burrow"), Path("/usr/local/sbin/burrow"), Path("/etc/systemd/system/burrow-boot.service")
WANTED = UNIT.parent / "sysinit.target.wants" / UNIT.name
OWED, OWED_UNIT = HOME / "owed", UNIT.with_name("burrow-owed.service")
OWED_WANTED = UNIT.parent / "multi-user.target.wants" / OWED_UNIT.name
RETRY_UNIT = UNIT.with_name("burrow-retry.service")
RETRY_WANTED = UNIT.parent / "multi-user.target.wants" / RETRY_UNIT.name
KEPT_BACKUPS, KEPT_RECORDS = 5, 50
# A reading that waits for others keeps its lease meanwhile.
RENEW_S = 5
# A timer that is so late does not come any more.
OVERDUE_S = 30
# A revert that is not complete is tried again after the first of these, then after twice as long, up to the second.
RETRY_FIRST_S, RETRY_LONGEST_S = 2, 60
# What the line of a record may take beyond the record as it is.
RECORD_LINE_BYTES = 16384
# A reason in the record.
REASON_LETTERS = 3000
# What the file system is the reason of, in the system's own words, and what to do about it.
FULL = {errno.ENOSPC: "no space left on", errno.EDQUOT: "the quota is used up on", errno.EROFS: "read-only file system:"}
DENIED = {errno.EACCES: "no permission for", errno.EPERM: "it is not permitted to write"}
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
    errno.EROFS: "find out why (dmesg), mount it read-write",
    errno.EACCES: "log in as root or let this user become root by sudo",
    errno.EPERM: "see whether it is immutable (lsattr), or the login not root",
}
UNDONE = {
    "confirm": "the transaction is not confirmed",
    "renew": "its timer is not renewed",
    "revert": "the revert is not complete",
    "release": "the lease is not given back, and lapses by itself",
}
# A unit with an init script beside it is enabled by its links alone: the script's own tool takes seconds and decides nothing.
ENVIRONMENT = {**os.environ, "SYSTEMCTL_SKIP_SYSV": "1", "LC_ALL": "C.UTF-8"}
# What brings a program that may be missing.
PACKAGES = {"ifup": "ifupdown2", "ifreload": "ifupdown2", "systemd-run": "systemd", "chronyc": "chrony"}
# ifupdown2's check is wrong here: every Proxmox node has bridges without ports, a Thunderbolt link has an MTU of 65520, and a bridge that
# says no MTU is set back to 1500, whatever its ports have.
FALSE_ALARMS = ('bridge-ports: invalid value "none"', "valid attribute range: 552-9216", "bridge inherits mtu from its ports")
REASONS = {
    "timer": "by its timer, because it was not confirmed",
    "boot": "at boot, because the power went before it was confirmed",
    "hand": "by hand on the host",
    "overdue": "by the next run, because its timer had not come",
    "retry": "by a later attempt of the host, because the first was interrupted",
}
# Secrets, by the grammar of whoever reads the line: FRR (vtysh), ifupdown2 with its wireless attributes and the commands that it runs,
# WireGuard. Words stand any white space apart, a statement may be quoted in a message, and all that follows the word which announces a
# secret is part of it. Each pattern keeps what stands before.
NAMES = r"pass(?:word|wd|phrase)|psk|secret|token|key"
STATEMENT = r"(?:^[-+ ]?\s*|[\"'`\[]\s*|/\s+|command(?:\[\d+\])?:\s*)(?:no\s+)?"
HEADS = r"ipv?6?|isis|openfabric|area|neighbor|enable|username|mpls|bfd|bgp|rip|ospf6?|pce|(?:pre-|post-)?(?:up|down)|wpa_cli|iwconfig"
ALONE = r"(?<!\w)(?<!\w-)"
ENCODED = r"(?:(?:\d|clear|md5|encrypted)\s+)?"
SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # A word of several parts says by itself what follows: authentication-key, area-password, wpa-psk, wireless-key1, private-key.
        rf"({ALONE}[\w.-]*[-_](?:{NAMES})\d*\s+(?:\d+\s+(?=md5\s))?{ENCODED})(?![=:])\S.*",
        rf"({ALONE}(?:key-string|tcp-md5-auth|r[ow]community6?|snmp-server\s+community|com2sec)\s+)\S.*",
        # A bare word does in a statement: `key 1` and `key chain NAME` name keys, and hold none.
        rf"({STATEMENT}(?:{HEADS})\s(?:.*?\s)?(?:{NAMES})\s+(?!chain\b|\d+\s*(?:$|/)){ENCODED})\S.*",
        rf"({STATEMENT}(?:password|passphrase|secret)\s+{ENCODED})\S.*",
        rf"({STATEMENT}(?:(?:{HEADS})\s(?:.*?\s)?)?(?:authentication\s+string|nhrp\s+authentication)\s+)\S.*",
        # NAME=VALUE and NAME: VALUE, as options, files, headers and JSON have it; in prose a colon follows a bare word too.
        rf"({ALONE}[\w.-]*(?:{NAMES})\s*=\s*)\S.*",
        rf"((?:{ALONE}[\w.-]*[-_](?:{NAMES})|(?:{NAMES})[\"']|{STATEMENT}(?:{NAMES}))\s*:\s*)\S.*",
        r"(\bauthorization:\s*)\S.*",
        r"([a-z][a-z0-9+.-]*://(?:[^\s/:@\"']*:)?)[^\s/@\"']+(?=@)",
        r"(\s(?:-u|-U|--user|--proxy-user)[\s=]*[^\s:%]+[:%])\S.*",
        r"(\bsshpass\s+-p\s*)\S.*",
        r"(\b)0x[0-9a-f]{16,}\b.*",
        # 32 bytes in base64: WireGuard's keys.
        r"((?<![a-z0-9+/=]))[a-z0-9+/]{43}=(?![a-z0-9+/=])",
    )
)
PRIVATE_KEY = re.compile(r"-----(BEGIN|END) [A-Z ]*PRIVATE KEY-----")
REMOVED = "<removed>"
BOOT_UNIT = f"""\
[Unit]
Description=Burrow: restore what was pending when the power went
DefaultDependencies=no
RequiresMountsFor={HOME} /etc
After=systemd-remount-fs.service
Before=sysinit.target networking.service network-pre.target
ConditionPathExists={PENDING}/meta.json

[Service]
Type=oneshot
ExecStart={COMMAND} boot

[Install]
WantedBy=sysinit.target
"""
# Later in the boot, where the file system of a file is mounted by then, or somebody has made room.
RETRY_SERVICE = f"""\
[Unit]
Description=Burrow: put back what a revert could not put back yet
After=local-fs.target network.target pve-cluster.service
StartLimitIntervalSec=0
ConditionPathExists={PENDING}/meta.json

[Service]
ExecStart={COMMAND} retry
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
"""
# Without a limit of starts: a cluster may be silent for as long as it takes.
OWED_SERVICE = f"""\
[Unit]
Description=Burrow: undo in the cluster what this host owes it
After=network.target
StartLimitIntervalSec=0
ConditionDirectoryNotEmpty={OWED}

[Service]
ExecStart={COMMAND} owed
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
"""


class Refused(Exception):
    """Nothing was changed, and why; without keys."""

    def __init__(self, reason: str) -> None:
        super().__init__(redact(reason))


def redact(text: str) -> str:
    """The text with every secret replaced by `<removed>`; a change of a key is still a line that goes and one that comes."""
    lines, goes_on, inside = [], False, False
    for line in text.splitlines(keepends=True):
        said, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
        mark = PRIVATE_KEY.search(said)
        inside = mark[1] == "BEGIN" if mark else inside
        kept = without_secrets(said)
        if (inside or goes_on) and not mark:
            kept = said[: len(said) - len(said.lstrip("+- \t"))] + REMOVED
        # What follows a backslash at the end of a line belongs to it (interfaces(5), sh(1)).
        goes_on = kept != said and said.endswith("\\")
        lines.append(kept + end)
    return "".join(lines)


def without_secrets(line: str) -> str:
    """One line, with the words that announce a secret and none after them; one that was redacted before stays as it is."""

    def shown(found: re.Match[str]) -> str:
        rest = found[0].removeprefix(found[1])
        return found[1] + REMOVED + (found.re.sub(shown, rest.removeprefix(REMOVED)) if rest.startswith(REMOVED) else "")

    for pattern in SECRETS:
        line = pattern.sub(shown, line)
    return line


def emit(**event: Any) -> None:
    """One line to the controller; a controller that is gone changes nothing here."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def device_of(path: Path) -> str:
    """The device of the file system that a path is on, as /proc/self/mounts names it."""
    mount = mount_of(path)
    with open("/proc/self/mounts") as mounts:  # noqa: PTH123 (the kernel's, wherever the rest of the host is)
        found = [line.split()[0] for line in mounts if line.split()[1] == mount]
    return found[-1] if found else mount


def sentence(error: OSError) -> str:
    """What the system refused, with the path: one clause."""
    name = error.filename2 or error.filename  # of a rename: its target
    path = Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) else HOME
    if error.errno in FULL:
        return f"{FULL[error.errno]} {path} ({device_of(path)})"
    return f"{DENIED[error.errno]} {path}" if error.errno in DENIED else f"{path}: {error.strerror or error}"


def is_full(text: str) -> bool:
    """Whether a tool says that the file system is why it failed."""
    return any(os.strerror(code) in text for code in FULL)


def make_folders(folder: Path) -> list[Path]:
    """The folders that were missing, made: 0700 where the state lies, else 0755, whatever the umask is."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()][::-1]
    for one in missing:
        mode = 0o700 if HOME in (one, *one.parents) or RUNTIME in (one, *one.parents) else 0o755
        one.mkdir(mode)
        if one.stat().st_mode & 0o777 != mode:  # pmxcfs has modes of its own
            one.chmod(mode)
        sync_folder(one.parent)
    return missing


def leftover(path: Path) -> Path:
    """Where a file is written before it is renamed; it stays there only when the writer is killed. No daemon reads such a name."""
    return path.with_name(f".{path.name}.burrow")


def sweep(path: Path) -> None:
    """What a killed writer of this path left is away."""
    if os.path.lexists(leftover(path)):
        leftover(path).unlink()


def attributes_of(path: Path) -> dict[str, str]:
    """The extended attributes of a file, ACLs among them, as {name: hex}; none where its file system has none."""
    try:
        names = [name for name in os.listxattr(path) if name not in ("security.ima", "security.evm")]  # these seal the content
        return {name: os.getxattr(path, name).hex() for name in names}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS, errno.EPERM):
            return {}
        raise


def create(path: Path, data: bytes, mode: int, owner: Any = None, attributes: dict[str, str] | None = None) -> None:
    """A file of its own, whole and on disk. Nothing is left of it where that fails."""
    if os.path.lexists(path):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if owner and owner != [os.fstat(handle).st_uid, os.fstat(handle).st_gid]:
                os.fchown(handle, *owner)
            if os.fstat(handle).st_mode & 0o7777 != mode:
                os.fchmod(handle, mode)
            if attributes is not None:
                set_attributes(path, attributes)
            os.fsync(handle)
    except BaseException as error:
        path.unlink()
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def set_attributes(path: Path, attributes: dict[str, str]) -> None:
    """A new file has these extended attributes, and no ACL that it got from its folder."""
    have = attributes_of(path)
    for name in have.keys() - attributes.keys():
        if name.startswith("system.posix_acl"):
            os.removexattr(path, name)
    for name, value in attributes.items():
        if have.get(name) != value:
            os.setxattr(path, name, bytes.fromhex(value))


def write(
    path: Path,
    data: bytes,
    mode: int = 0o600,
    owner: Any = None,
    attributes: dict[str, str] | None = None,
    last_look: Callable[[], None] | None = None,
) -> None:
    """Replace a file as one step that a power cut cannot halve; `last_look` may refuse right before that step."""
    make_folders(path.parent)
    create(leftover(path), data, mode, owner, attributes)
    try:
        if last_look:
            last_look()
        leftover(path).replace(path)
    except BaseException:
        leftover(path).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """A rename in the folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def content(path: Path) -> bytes | None:
    """The bytes of a file, None where there is none."""
    return path.read_bytes() if path.exists() else None


def load(path: Path) -> Any:
    """A JSON file, None where there is none. Raises Refused where it cannot be read as JSON."""
    try:
        return json.loads(path.read_text()) if path.exists() else None
    except ValueError as error:
        raise Refused(f"{path} cannot be read ({error}): nothing was changed; look at it, move it away, and run again") from error


def lenient(path: Path, keys: set[str]) -> Any:
    """A JSON file that may be lost without harm: None where it does not hold these keys."""
    try:
        value = json.loads(path.read_text()) if path.exists() else None
    except ValueError:
        return None
    return value if isinstance(value, dict) and keys <= value.keys() else None


def save(path: Path, value: Any) -> None:
    """Write a JSON file."""
    write(path, json.dumps(value).encode())


@contextlib.contextmanager
def locked(what: str = "lock") -> Iterator[None]:
    """One process at a time decides what becomes of the pending transaction; or, by a lock of its own, of what is owed."""
    make_folders(HOME)
    handle = os.open(HOME / what, os.O_RDONLY | os.O_CREAT, 0o600)  # a lock needs no writing: its file may be on a read-only disk
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def run(argv: list[str], deadline_s: float = 60) -> tuple[int, str, str]:
    """Run to the end or to its deadline, with its whole process group. Answers (exit code, stdout, stderr).

    As a shell does: 127 where the program is not there, 124 at the deadline. Bytes of stdout that are no UTF-8 come back as they were
    where it is encoded with surrogateescape.
    """
    pipe: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        # The umask is that of a boot: what a package or a tool makes is not the state's own.
        child = subprocess.Popen(argv, **pipe, start_new_session=True, env=ENVIRONMENT, umask=0o022)
    except FileNotFoundError:
        return 127, "", f"{argv[0]} is not on this host; install {PACKAGES.get(argv[0], argv[0])}"
    with child:
        try:
            out, err = child.communicate(timeout=deadline_s)
            code = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            code, err = 124, err + f"no end after {deadline_s} s".encode()
    return code, out.decode(errors="surrogateescape"), err.decode(errors="replace")


def called(argv: list[str]) -> str:
    """A command for somebody to read: a script by its name, which stands after it (sh(1): -c SCRIPT NAME)."""
    return argv[3] if argv[1:2] == ["-c"] and len(argv) > 3 else " ".join(argv)


def now() -> float:
    """Monotonic seconds: a clock that is set changes nothing."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def boot_id() -> str:
    """Changes with each boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def sysctl(name: str) -> Path:
    """Where the kernel shows a live value. In a name with slashes a dot is a dot: names of interfaces have them (sysctl.d(5))."""
    return Path("/proc/sys") / (name if "/" in name else name.replace(".", "/"))


# The lease: which run may change this host. It belongs to the run, and lapses when nobody renews it or the host reboots.


def lease_now() -> Any:
    """The lease that is in force, or None."""
    lease = lenient(LEASE, {"run", "holder", "since", "boot", "until", "ttl_s"})
    return lease if lease and lease["boot"] == boot_id() and lease["until"] > now() else None


def take_lease(ask: Any) -> None:
    """Take or renew the lease. Refuses while another run holds it or has a transaction open."""
    lease, pending = lease_now(), load(PENDING / "meta.json")
    if pending and (why := unfinished(pending)):
        raise Refused(f"a transaction of {pending['holder']} is being reverted: {why}")
    if lease and lease["run"] != ask["run"]:
        raise Refused(
            f"{lease['holder']} changes this host since {lease['since']}; wait until that run ends"
            f" (without it, its lease lapses in {lease['until'] - now():.0f} s)"
        )
    if pending and pending["run"] != ask["run"]:
        raise Refused(
            f"a transaction of {pending['holder']} is open: it restores itself in {max(0, pending['until'] - now()):.0f} s,"
            " or run `burrow revert` on the host"
        )
    since = lease["since"] if lease else time.strftime("%Y-%m-%d %H:%M:%S")
    save(
        LEASE,
        {
            "run": ask["run"],
            "holder": ask["holder"],
            "since": since,
            "boot": boot_id(),
            "until": now() + ask["ttl_s"],
            "ttl_s": ask["ttl_s"],
        },
    )


def renew_lease(run_id: str, longer_s: float = 0) -> None:
    """Renew the lease where this run holds it; one that cannot be written lapses at its time."""
    lease = lease_now()
    if lease and lease["run"] == run_id:
        try:
            save(LEASE, {**lease, "until": now() + lease["ttl_s"] + longer_s})
        except OSError as error:
            print(f"burrow: the lease is not renewed: {sentence(error)}", file=sys.stderr)


# Reading and preparing.


def steady(look: Callable[[], Any]) -> Any:
    """Look without the lock; where a transaction was closed in the middle of it, look again."""
    for _ in range(3):
        with contextlib.suppress(FileNotFoundError):
            return look()
    return look()


def overdue(meta: Any) -> bool:
    """Whether its timer cannot come any more: its time is long over, or it was armed in another boot."""
    return bool(meta["boot"] != boot_id() or now() > meta["until"] + OVERDUE_S)


def status() -> Any:
    """The pending transaction, the lease and the last records."""
    return steady(_status)


def _status() -> Any:
    pending = load(PENDING / "meta.json")
    if pending:
        pending = {key: pending[key] for key in ("token", "run", "holder", "why", "armed_at")} | {
            "state": state_of(pending),
            "revert_in_s": round(pending["until"] - now(), 1),
            "overdue": overdue(pending),
            "troubles": told(pending["token"]).get("troubles", []),
        }
    records, unreadable = recorded()
    remarks = [f"{RECORD}: {unreadable} lines cannot be read and are left out"] if unreadable else []
    if LEASE.exists() and lenient(LEASE, {"run"}) is None:
        remarks.append(f"{LEASE} cannot be read and is taken for nobody's")
    owed = [{key: one[key] for key in ("why", "holder", "trouble")} for one in debts()]
    return {"pending": pending, "owed": owed, "lease": lease_now(), "records": records[-5:], "boot": boot_id(), "remarks": remarks}


def keep_lease(ask: Any) -> float:
    """Renew the reader's lease, where it has one; answers when."""
    lease = lease_now()
    if lease and lease["run"] == ask.get("run"):
        with locked():
            renew_lease(ask["run"])
    return now()


def op_read(ask: Any) -> Any:
    """The answers of read-only commands, and the status."""
    answers, renewed = {}, keep_lease(ask)
    for name, command in ask["facts"].items():
        if now() - renewed > RENEW_S:
            renewed = keep_lease(ask)
        if command == "burrow status --json":
            code, out, err = 0, json.dumps(status()), ""
        else:
            code, out, err = run(["/bin/sh", "-c", command], ask["deadline_s"])
        answers[name] = {"rc": code, "out": out, "err": err}
    return {"facts": answers, **status()}


def op_prepare(ask: Any) -> Any:
    """The lease, this file with its boot unit, and packages: all that comes before a transaction and is not taken back."""
    pending = load(PENDING / "meta.json")
    if pending and (overdue(pending) or unfinished(pending)):
        revert(pending["token"], "overdue")
    with locked():
        take_lease(ask)
        tidy()
        install()
        renew_lease(ask["run"], longer_s=ask["deadline_s"] if ask["packages"] else 0)
    if ask["packages"]:
        environment = "DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l"
        names = " ".join(ask["packages"])
        code, out, err = run(
            ["/bin/sh", "-c", f"{environment} apt-get -o DPkg::Lock::Timeout=60 install -y -q --no-install-recommends {names}"],
            ask["deadline_s"],
        )
        if code:
            raise Refused(f"apt-get install {names} ended with {code}: {(err or out).strip()[-600:]}")
    with locked():
        renew_lease(ask["run"])
    return status()


def tidy() -> None:
    """What killed processes left in the state is away; what they left beside a file goes with that file's transaction."""
    for path in HOME.glob(".*"):
        path.unlink()
    if not PENDING.exists():
        shutil.rmtree(HOME / "draft", ignore_errors=True)
        shutil.rmtree(SHELF, ignore_errors=True)
    if HOME.stat().st_mode & 0o077:
        HOME.chmod(0o700)


def install() -> None:
    """Put this file and its units on the host, under a hash of its content; whatever differs there is put right."""
    source = SOURCE.encode()
    folder = LIBRARY / hashlib.sha256(source).hexdigest()[:16]
    units = ((WANTED, UNIT, BOOT_UNIT), (OWED_WANTED, OWED_UNIT, OWED_SERVICE), (RETRY_WANTED, RETRY_UNIT, RETRY_SERVICE))
    for path, text, mode in ((folder / "burrow", source, 0o755), *((unit, text.encode(), 0o644) for _, unit, text in units)):
        if not is_plain(path, text, mode):
            write(path, text, mode)
    for one in (LIBRARY, folder):
        if one.stat().st_mode & 0o7777 != 0o755:
            one.chmod(0o755)
    for link, target in ((COMMAND, folder / "burrow"), *((wanted, unit) for wanted, unit, _ in units)):
        if link.is_symlink() and link.readlink() == target:
            continue
        make_folders(link.parent)
        sweep(link)
        leftover(link).symlink_to(target)
        leftover(link).replace(link)
        sync_folder(link.parent)
    for old in LIBRARY.iterdir():
        if old != folder and not PENDING.exists():
            shutil.rmtree(old)


def is_plain(path: Path, data: bytes, mode: int) -> bool:
    """Whether a path is a file of this content and mode; a unit that is masked is a link."""
    return path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o7777 == mode and path.read_bytes() == data


# A transaction: begin (validate, back up, arm, apply), then confirm or revert.


def op_begin(ask: Any) -> Any:
    """Validate, back up, arm, apply; answers the outcome."""
    with locked():
        take_lease(ask)
        renew_lease(ask["run"], longer_s=ask["deadline_s"])
        if PENDING.exists():
            raise Refused(f"a transaction is already open: {load(PENDING / 'meta.json')['why']}")
        if outcome(ask["token"])["state"] != "unknown":
            raise Refused(f"this transaction has ended here before it could begin: {outcome(ask['token'])['reason']}")
        for item in ask["files"]:
            item["path"] = os.path.realpath(item["path"])  # a link stays a link: what it points at is written
        tidy()
        for path in ask["absent"]:
            if Path(path).exists():
                raise Refused(f"{path} exists: somebody else's change is open there; apply or remove it first")
        for item in ask["files"]:
            refuse_if_not_mounted(item)
            refuse_if_linked(item)
            refuse_if_changed(item, content(Path(item["path"])))
        validate(ask)
        try:
            back_up(ask)
        except BaseException:
            drop_draft()
            raise
        trouble = take_over(ask)
    if trouble := trouble or arm_and_apply(ask):
        return revert(ask["token"], trouble)
    with locked():
        renew_lease(ask["run"])
    return outcome(ask["token"])


def arm_and_apply(ask: Any) -> str:
    """Detached from the session, which may be what the change cuts. Answers why it could not be started, or nothing."""
    me, token = str(COMMAND.resolve()), ask["token"]
    units = ["systemd-run", "--quiet", "--collect"]
    clock = [f"--on-active={ask['revert_s']}s", "--timer-property=AccuracySec=100ms"]
    again = ["--property=Restart=on-failure", "--property=RestartSec=2"]
    code, _, err = run([*units, f"--unit=burrow-revert-{token}", *clock, *again, me, "revert", token, "timer"], ask["deadline_s"])
    if code:
        return f"the timer could not be armed: {err.strip()}"
    emit(event="armed")
    code, _, err = run([*units, f"--unit=burrow-apply-{token}", "--wait", me, "apply", token], ask["deadline_s"])
    return f"it could not be started: {err.strip()}" if code and outcome(token)["state"] == "armed" else ""


def refuse_if_not_mounted(item: Any) -> None:
    """The file system that a file was read on is there: below its bare folder a file would keep it from being mounted again."""
    mount = item.get("mount")
    if mount and not os.path.ismount(mount):
        raise Refused(f"{item['path']} is not written: {mount} is not mounted; start what mounts it, then run again")


def refuse_if_linked(item: Any) -> None:
    """A file is replaced as a whole, which parts it from its other names."""
    path = Path(item["path"])
    if path.is_file() and path.stat().st_nlink > 1:
        raise Refused(
            f"{path} has {path.stat().st_nlink} names (hard links), and writing it would part it from the others;"
            f" find them with `find / -xdev -samefile {path}`, leave one, and run again"
        )


def refuse_if_changed(item: Any, found: bytes | None) -> None:
    """The file is as it was when the controller made its plan; the fact that holds it cannot tell an empty file from an absent one."""
    if (found or b"") != (item["before"] or "").encode(errors="surrogateescape"):
        raise Refused(f"{item['path']} was changed since it was read; run again to see the new difference")


def validate(ask: Any) -> None:
    """The candidates pass the checks of the tools that will read them; what a tool says of the file as it stands is its owner's."""
    for item in ask["files"]:
        if item["validate"] and item["text"] is not None:
            complaints = complaints_of(item["text"], item, ask)
            if complaints and item["before"] is not None:
                complaints -= complaints_of(item["before"], item, ask)
            if complaints:
                raise Refused(f"{item['path']} would not be accepted: {'; '.join(sorted(complaints))[:900]}")


def complaints_of(text: str, item: Any, ask: Any) -> set[str]:
    """What the tool says of a text, a line each. ifupdown2 ends with 1 on a mere warning, and with 0 on some errors."""
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder) / "candidate"
        candidate.write_text(text, errors="surrogateescape")
        code, out, err = run([word.replace("{candidate}", str(candidate)) for word in item["validate"]], ask["deadline_s"])
    lines = {line.replace(str(candidate), item["path"]).strip() for line in (err + out).splitlines() if line.strip()}
    serious = {line for line in lines if not any(alarm in line for alarm in FALSE_ALARMS)}
    if code:
        return serious if lines else {f"exit code {code}"}
    return {line for line in serious if "error" in line.lower()}


def back_up(ask: Any) -> None:
    """The pending folder, whole and on disk, before the first byte changes: with it, neither applying nor reverting needs new space."""
    draft = HOME / "draft"
    draft.mkdir(mode=0o700)
    for folder in (BACKUPS, OWED):
        make_folders(folder)
    saved = [save_file(draft, index, item, ask["token"]) for index, item in enumerate(ask["files"])]
    units = [
        {
            **unit,
            "was_enabled": not run(["systemctl", "is-enabled", "-q", unit["name"]])[0],
            "was_active": not run(["systemctl", "is-active", "-q", unit["name"]])[0],
        }
        for unit in ask["units"]
    ]
    live = {name: sysctl(name).read_text() for name in (*ask["sysctls"], *ask["saved"]) if sysctl(name).exists()}
    meta = {
        **{key: ask[key] for key in ("token", "run", "holder", "why", "files", "actions", "sysctls", "revert_s")},
        "saved": saved,
        "units": units,
        "live": live,
        "boot": boot_id(),
        "until": now() + ask["revert_s"],
        "armed_at": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    if debt := debt_of(meta):
        create(draft / "owed.json", json.dumps(debt).encode(), 0o600)
    for text in ("applying", "applied", "reverting", "reverting armed"):
        create(draft / f"state.{text.replace(' ', '-')}", text.encode(), 0o600)
    reserve(draft / "record", (RECORD.stat().st_size if RECORD.exists() else 0) + RECORD_LINE_BYTES)
    create(draft / "meta.json", json.dumps({**meta, "owed": bool(debt)}).encode(), 0o600)
    create(draft / "state", b"armed", 0o600)
    sync_folder(draft)
    draft.replace(PENDING)
    sync_folder(HOME)


def save_file(draft: Path, index: int, item: Any, token: str) -> Any:
    """What is kept of a file: a copy, its old inode, and the new one, made ready where a rename brings them into its place."""
    path = Path(item["path"])
    mount = mount_of(path)
    saved: Any = {"path": item["path"], "mount": mount, "mode": None, "made": [str(one) for one in path.parents if not one.exists()]}
    found = content(path)
    refuse_if_changed(item, found)
    if found is not None:
        stat = path.stat()
        create(draft / str(index), found, 0o600)
        saved |= {"mode": stat.st_mode & 0o7777, "owner": [stat.st_uid, stat.st_gid], "attributes": attributes_of(path)}
    place = draft if mount == mount_of(HOME) else SHELF if mount == mount_of(SHELF) else None
    create(draft / f"{index}.untouched", b"", 0o600)
    if place is None:  # such as /etc/pve, where nothing but the file itself may be made
        return saved
    make_folders(place)
    stem = str(index) if place is draft else str(SHELF / f"{token}-{index}")
    if found is not None:
        with contextlib.suppress(OSError):  # an immutable file takes no link: its copy is there
            os.link(path, draft / f"{stem}.old")
            saved["old"] = f"{stem}.old"
    if item["text"] is not None:
        data = item["text"].encode(errors="surrogateescape")
        create(draft / f"{stem}.new", data, saved["mode"] or item["mode"], saved.get("owner"), saved.get("attributes"))
        saved["new"] = f"{stem}.new"
    if place is SHELF:
        sync_folder(SHELF)
    return saved


def reserve(path: Path, length: int) -> None:
    """A file whose space is taken from the disk already."""
    create(path, b"", 0o600)
    handle = os.open(path, os.O_WRONLY)
    try:
        os.posix_fallocate(handle, 0, length)
        os.fsync(handle)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(handle)


def drop_draft() -> None:
    """A draft that did not become pending is away."""
    if not PENDING.exists():
        shutil.rmtree(HOME / "draft", ignore_errors=True)
        shutil.rmtree(SHELF, ignore_errors=True)


def mount_of(path: Path) -> str:
    """Where the file system is mounted that a path is on."""
    return next((str(folder) for folder in path.parents if os.path.ismount(folder)), "/")


def state_of(meta: Any) -> str:
    """armed, applying, applied or reverting."""
    return "reverting" if state_text(meta).startswith("reverting") else state_text(meta)


def state_text(meta: Any) -> str:
    """The state as it is written: on disk, or in RUNTIME where the disk took it not. One that cannot be read is never confirmed."""
    text = str(told(meta["token"]).get("state") or (PENDING / "state").read_bytes().decode(errors="replace"))
    return text if text in ("armed", "applying", "applied", "reverting armed") else "reverting"


def set_state(meta: Any, text: str) -> None:
    """Written down by a rename of what lies ready; a revert goes on also where the disk takes nothing: RUNTIME then says so."""
    ready = PENDING / f"state.{text.replace(' ', '-')}"
    try:
        if ready.exists():
            ready.replace(PENDING / "state")
            sync_folder(PENDING)
        elif (PENDING / "state").read_text() != text:
            write(PENDING / "state", text.encode())
    except OSError:
        if not text.startswith("reverting"):
            raise
        tell(meta, {"state": text})


def told(token: str) -> Any:
    """What is known of a revert that is not complete: its reason and its troubles."""
    return lenient(RUNTIME / f"{token}.json", set()) or {}


def tell(meta: Any, news: Any) -> None:
    """Add to what is known of a revert that is not complete. It is in memory, which a full disk leaves free; a boot begins anew.

    What cannot be told keeps no file from its place, unless it is the state.
    """
    try:
        save(RUNTIME / f"{meta['token']}.json", {**told(meta["token"]), **news})
    except OSError as error:
        if "state" in news:
            raise
        print(f"burrow: {sentence(error)}; {'; '.join(news.get('troubles', []))}", file=sys.stderr)


def unfinished(meta: Any) -> str:
    """Why a revert is not complete, with what to do; nothing where none has begun."""
    if state_of(meta) != "reverting":
        return ""
    why = "; ".join(told(meta["token"]).get("troubles", [])) or "it was interrupted"
    return f"{why}; it is tried again until every file is back, at once by `burrow revert` on the host"


def apply(token: str) -> None:
    """Carry the armed transaction out; what fails is restored at once."""
    with locked():
        meta = load(PENDING / "meta.json")
        if not meta or meta["token"] != token or state_of(meta) != "armed":
            return
        try:
            set_state(meta, "applying")
            failure = apply_steps(meta)
        except (OSError, Refused) as error:
            failure = sentence(error) if isinstance(error, OSError) else str(error)
        if not failure:
            set_state(meta, "applied")
    if failure:
        revert(token, failure, stop_apply=False)


def bring(index: int, item: Any, saved: Any) -> None:
    """The new text of one file is in place, by a rename where it lies ready."""
    path = Path(item["path"])

    def last_look() -> None:
        refuse_if_not_mounted(item)
        if mount_of(path) != saved.get("mount", mount_of(path)):
            raise Refused(f"{path} is not written: it was on {saved['mount']}, and is on {mount_of(path)} now; run again")
        if content(path) != content(PENDING / str(index)):
            raise Refused(f"{path} was changed while this was made ready; run again to see the new difference")

    last_look()
    if item["text"] is None:
        touch(index)
        last_look()
        path.unlink(missing_ok=True)
    elif saved.get("new"):
        make_folders(path.parent)
        last_look()
        (PENDING / saved["new"]).replace(path)
    else:
        touch(index)
        write(
            path,
            item["text"].encode(errors="surrogateescape"),
            saved["mode"] or item["mode"],
            saved.get("owner"),
            saved.get("attributes"),
            last_look,
        )
        return
    if path.parent.exists():
        sync_folder(path.parent)


def touch(index: int) -> None:
    """From here on the file may be ours: a revert puts it back."""
    (PENDING / f"{index}.untouched").unlink(missing_ok=True)
    sync_folder(PENDING)


def is_untouched(index: int, saved: Any) -> bool:
    """Whether this transaction has not reached the file yet; what differs there is somebody else's."""
    return (PENDING / (saved.get("new") or f"{index}.untouched")).exists()


def apply_steps(meta: Any) -> str | None:
    """None, or the sentence that says what failed."""
    for index, item in enumerate(meta["files"]):
        bring(index, item, meta["saved"][index])
    for name, value in meta["sysctls"].items():
        sysctl(name).write_text(value)
    for action in meta["actions"]:
        code, out, err = run(action["argv"], action["deadline_s"])
        if code:
            return f"`{called(action['argv'])}` ended with {code}: {(err or out).strip()[-600:]}"
    for unit in meta["units"]:
        for verb in unit_verbs(unit):
            code, out, err = run(["systemctl", "-q", "--no-reload", verb, unit["name"]])
            if code:
                return f"`systemctl {verb} {unit['name']}` ended with {code}: {(err or out).strip()[-600:]}"
    return None


def unit_verbs(unit: Any) -> list[str]:
    """What takes a unit from what it was to what is wanted."""
    verbs = []
    if unit["enabled"] != unit["was_enabled"]:
        verbs.append("enable" if unit["enabled"] else "disable")
    if unit["active"] != unit["was_active"]:
        verbs.append("start" if unit["active"] else "stop")
    elif unit["active"] and unit["restart"]:
        verbs.append("restart")
    return verbs


def op_renew(ask: Any) -> Any:
    """The timer of an applied transaction begins anew; answers what the host holds of it."""
    with locked():
        meta = load(PENDING / "meta.json")
        if meta and meta["token"] == ask["token"] and (why := unfinished(meta)):
            raise Refused(f"the transaction is being reverted, so its timer is not renewed: {why}")
        if meta and meta["token"] == ask["token"] and state_of(meta) == "applied":
            renew_lease(ask["run"])
            save(PENDING / "meta.json", {**meta, "until": now() + meta["revert_s"]})
            code, _, err = run(["systemctl", "-q", "restart", f"burrow-revert-{meta['token']}.timer"])
            if code:
                raise Refused(f"the timer could not be renewed: {err.strip()}")
    return outcome(ask["token"])


def op_confirm(ask: Any) -> Any:
    """Keep the transaction; asking again answers the same."""
    with locked():
        meta = load(PENDING / "meta.json")
        if meta and meta["token"] == ask["token"]:
            if why := unfinished(meta):
                raise Refused(f"the transaction is being reverted, so it cannot be confirmed: {why}")
            if state_of(meta) != "applied":
                raise Refused("the transaction is not applied, so there is nothing to confirm")
            close(meta, "confirmed", "")
            renew_lease(meta["run"])
    return outcome(ask["token"])


def close(meta: Any, result: str, reason: str, troubles: list[str] | None = None) -> None:
    """On disk first; only then the folder moves away and the timer ends."""
    remember(meta, result, reason, troubles)
    folder = backup_folder(meta)
    PENDING.replace(folder)
    sync_folder(HOME)
    sync_folder(BACKUPS)
    for saved in meta["saved"]:
        for inode in (saved.get("old"), saved.get("new")):
            if inode:
                with contextlib.suppress(OSError):  # what is left there takes space and harms nobody
                    (folder / inode).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # gone at the next boot
        (RUNTIME / f"{meta['token']}.json").unlink(missing_ok=True)
    for old in sorted(BACKUPS.iterdir(), key=number_of)[:-KEPT_BACKUPS]:
        shutil.rmtree(old, ignore_errors=True)
    run(["systemctl", "-q", "stop", f"burrow-revert-{meta['token']}.timer"])


def number_of(backup: Path) -> int:
    """What backups are sorted by: each has the number after the newest there is, whatever the clock says."""
    number = backup.name.partition("-")[0]
    return int(number) if number.isdigit() else 0


def backup_folder(meta: Any) -> Path:
    """Where the pending folder goes when it is closed."""
    newest = max((number_of(one) for one in BACKUPS.iterdir()), default=0) if BACKUPS.exists() else 0
    make_folders(BACKUPS)
    return BACKUPS / f"{newest + 1:019}-{meta['token']}"


def recorded() -> tuple[list[Any], int]:
    """The entries of the record, and how many of its lines cannot be read as one."""
    lines = RECORD.read_bytes().decode(errors="replace").splitlines() if RECORD.exists() else []
    entries = []
    for line in lines:
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and {"token", "holder", "why", "outcome", "reason", "at"} <= entry.keys():
                entries.append(entry)
    return entries, len([line for line in lines if line.strip(" \0")]) - len(entries)


def remember(meta: Any, result: str, reason: str, troubles: list[str] | None = None) -> None:
    """A line of the record, which is bounded; written into the space that lies ready, where that is."""
    entries, _ = recorded()
    if entries and (entries[-1]["token"], entries[-1]["outcome"]) == (meta["token"], result):
        return  # it was killed right after this
    entry = {
        "token": meta["token"],
        "run": meta["run"],
        "holder": meta["holder"],
        "why": meta["why"][:REASON_LETTERS],
        "outcome": result,
        "reason": redact(reason)[:REASON_LETTERS],
        "troubles": [redact(one)[: REASON_LETTERS // 10] for one in troubles or []][:10],
        "at": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    data = ("\n".join(json.dumps(one) for one in [*entries[1 - KEPT_RECORDS :], entry]) + "\n").encode()
    ready = PENDING / "record"
    if not ready.exists():
        write(RECORD, data)
        return
    with ready.open("r+b") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    ready.replace(RECORD)
    sync_folder(HOME)


def revert(token: str | None, reason: str, *, stop_apply: bool = True, live: bool = True) -> Any:
    """Restore what the pending transaction saved, and undo what it did elsewhere; without a token, whatever is pending or owed."""
    pending = load(PENDING / "meta.json")
    if stop_apply and live and pending and token in (None, pending["token"]):
        run(["systemctl", "-q", "stop", f"burrow-apply-{pending['token']}.service"])
    with locked():
        meta = load(PENDING / "meta.json")
        if meta and token in (None, meta["token"]):
            take_back(meta, reason, live=live)
        elif live and debts(token):
            pay(token)
    if live and debts(token):
        run(["systemctl", "-q", "--no-block", "start", OWED_UNIT.name])
    kept = outcome(token or (meta and meta["token"]))
    if live and kept["state"] == "reverting":
        kept["retried"] = not run(["systemctl", "-q", "--no-block", "start", RETRY_UNIT.name])[0]
    return kept


def take_back(meta: Any, reason: str, *, live: bool) -> None:
    """One attempt: the transaction is closed where every file is back, and else stays `reverting`, with what keeps it so."""
    known = told(meta["token"])
    reason = known.get("reason", reason)  # of the first attempt
    held: list[str] = []
    remarks: list[str] = known.get("remarks", [])
    undone = False
    try:
        begun = state_text(meta) not in ("armed", "reverting armed")
        set_state(meta, "reverting" if begun else "reverting armed")
        tell(meta, {"reason": reason})
        owed: list[str] = []
        if begun:
            held, remarks = restore(meta, remarks, live=live)
            undone = live and not held
            owed = undo_elsewhere(meta, live=live)
        if not held:
            close(meta, "reverted", "; ".join([REASONS.get(reason, reason), *remarks, *owed]), remarks)
    except OSError as error:
        held.append(sentence(error))
    if held:
        tell(meta, {"reason": reason, "remarks": remarks, "troubles": [redact(one) for one in held], "undone": undone})
    elif reason in REASONS:
        give_back(meta["run"])  # it is dead, cut off, or unwanted: the next need not wait for it


def give_back(run_id: str) -> None:
    """This run holds the lease no more."""
    lease = lease_now()
    if lease and lease["run"] == run_id:
        LEASE.unlink()
        sync_folder(HOME)


def retry() -> None:
    """Try a revert that is not complete again and again, each time after a longer wait."""
    wait_s = RETRY_FIRST_S
    while (meta := load(PENDING / "meta.json")) and state_of(meta) == "reverting":
        kept = revert(meta["token"], "retry")
        if kept["state"] == "reverting":
            print(f"burrow: {kept['reason']}; tried again in {wait_s} s", file=sys.stderr, flush=True)
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_LONGEST_S)


def give_up() -> None:
    """Close a revert that cannot be completed, as somebody at the console decides; the copies stay in the backups."""
    with locked():
        meta = load(PENDING / "meta.json")
        if not meta or state_of(meta) != "reverting":
            sys.exit("burrow: no revert is incomplete; `burrow status` says what is pending")
        folder = backup_folder(meta)
        close(meta, "given up", f"by hand on the host: {unfinished(meta)}; the old texts are kept in {folder}")
        give_back(meta["run"])


# What is owed: the undo of what was done elsewhere. Whoever takes both locks takes this one last.


def debts(token: str | None = None) -> list[Any]:
    """What is owed of a transaction, or of all."""
    found = []
    for path in sorted(OWED.glob(f"{token or '*'}.json")):
        with contextlib.suppress(FileNotFoundError):  # paid in this moment
            found.append(load(path))
    return [one for one in found if one]


def debt_of(meta: Any) -> Any:
    """What will be owed when a transaction is reverted, or None."""
    undo = [{"argv": one["undo"], "deadline_s": one["deadline_s"]} for one in reversed(meta["actions"]) if one.get("lasting")]
    kept = {key: meta[key] for key in ("token", "run", "holder", "why")}
    return {**kept, "undo": undo, "trouble": f"`{called(undo[0]['argv'])}` waits for the network"} if undo else None


def undo_elsewhere(meta: Any, *, live: bool) -> list[str]:
    """On disk as owed first, then tried; answers what is still owed. Before the network is up, nothing is tried."""
    path, ready = OWED / f"{meta['token']}.json", PENDING / "owed.json"
    if ready.exists():
        ready.replace(path)
        sync_folder(OWED)
    elif "owed" not in meta and (debt := debt_of(meta)):  # an older version armed it
        save(path, debt)
    if live and debts(meta["token"]):
        pay(meta["token"])
    return [f"{one['trouble']}; it is tried until it succeeds" for one in debts(meta["token"])]


def pay(token: str | None = None) -> None:
    """Undo what is owed of a transaction, or of all. An undo that succeeded is not done again."""
    with locked("owed.lock"):
        for debt in debts(token):
            while debt["undo"]:
                argv = debt["undo"][0]["argv"]
                code, out, err = run(argv, debt["undo"][0]["deadline_s"])
                if code:
                    debt["trouble"] = f"`{called(argv)}` ended with {code}: {(err or out).strip()[-300:]}"
                    break
                debt["undo"] = debt["undo"][1:]
            keep_owed(debt)


def keep_owed(debt: Any) -> None:
    """What is left of it; where that is nothing, nothing is owed."""
    path = OWED / f"{debt['token']}.json"
    if debt["undo"]:
        try:
            save(path, debt)
        except OSError as error:  # as it is, it is still owed
            print(f"burrow: what is owed is not written anew: {sentence(error)}", file=sys.stderr)
    else:
        path.unlink()
        sync_folder(OWED)


def take_over(ask: Any) -> str:
    """What a transaction will undo itself is owed no more: it would be undone in the middle of it. Answers why that failed, or nothing."""
    own = [one["undo"] for one in ask["actions"] if one.get("lasting")]
    try:
        if own:
            with locked("owed.lock"):
                for debt in debts():
                    keep_owed({**debt, "undo": [one for one in debt["undo"] if one["argv"] not in own]})
    except OSError as error:
        return sentence(error)
    return ""


def restore(meta: Any, known: list[str], *, live: bool) -> tuple[list[str], list[str]]:
    """Files, then what makes them live. Answers what keeps the revert from its end; and what is to be said besides, `known` first."""
    held: list[str] = []
    remarks: list[str] = []
    moved = False
    for index, saved in enumerate(meta["saved"]):
        try:
            moved |= put_back(index, saved, meta["files"][index]["text"], remarks)
        except Refused as reason:
            held.append(str(reason))
        except OSError as error:
            held.append(sentence(error))
    # A file that is back is made live also while another is held; but not anew with each attempt that brings nothing back.
    if moved or not (held or told(meta["token"]).get("undone")):
        for trouble in make_live(meta, live=live):
            (held if is_full(trouble) else remarks).append(trouble)
    return held, [*known, *(one for one in remarks if one not in known)]


def put_back(index: int, saved: Any, written: str | None, remarks: list[str]) -> bool:
    """One file is as it was; whether it had to be touched. Raises Refused where its file system is not there, OSError."""
    path, ours = Path(saved["path"]), PENDING / str(index)
    mount = saved.get("mount", "/")
    if not os.path.ismount(mount):  # /etc/pve at boot: what is written below it then keeps it from being mounted
        raise Refused(f"{path} stays: {mount} is not mounted; its text is kept in {ours}")
    if mount_of(path) != mount and "mount" in saved:
        raise Refused(f"{path} stays: it was on {mount}, and is on {mount_of(path)} now; its text is kept in {ours}")
    sweep(path)
    if is_back(index, saved):
        drop_old(saved)
        return False
    if is_untouched(index, saved):
        remarks.append(f"{path} was edited meanwhile, before it was written, and is left as it is")
        return False
    remarks += keep_what_was_found(index, saved, written)
    if saved["mode"] is None:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
        for folder in saved.get("made", []):
            with contextlib.suppress(OSError):  # somebody else has put something there
                Path(folder).rmdir()
    elif not bring_old(index, saved):
        write(path, ours.read_bytes(), saved["mode"], saved["owner"], saved.get("attributes"))
    return True


def is_back(index: int, saved: Any) -> bool:
    """Whether a file is as it was, or still is."""
    path = Path(saved["path"])
    if saved["mode"] is None:
        return not os.path.lexists(path)
    if not path.is_file() or path.read_bytes() != (PENDING / str(index)).read_bytes():
        return False
    stat = path.stat()
    return (stat.st_mode & 0o7777, [stat.st_uid, stat.st_gid]) == (saved["mode"], saved["owner"])


def drop_old(saved: Any) -> None:
    """A file that is back has no second name."""
    if saved.get("old"):
        with contextlib.suppress(OSError):  # a disk that takes nothing; tried again when the folder is closed
            (PENDING / saved["old"]).unlink(missing_ok=True)


def bring_old(index: int, saved: Any) -> bool:
    """The old inode is renamed back, where it was kept and nobody wrote into it: that needs no space."""
    path, old = Path(saved["path"]), PENDING / saved.get("old", f"{index}.old")
    if not old.exists() or old.read_bytes() != (PENDING / str(index)).read_bytes():
        return False
    make_folders(path.parent)
    old.replace(path)
    sync_folder(path.parent)
    return True


def make_live(meta: Any, *, live: bool) -> list[str]:
    """Units, the opposites of actions and live values, as they were; answers what failed."""
    troubles = []
    commands = [
        ["systemctl", "-q", "--root=/", "enable" if unit["was_enabled"] else "disable", unit["name"]]
        for unit in meta["units"]
        if unit["was_enabled"] != unit["enabled"]
    ]
    if live:
        commands += [action["undo"] for action in reversed(meta["actions"]) if not action.get("lasting")]
        commands += [
            ["systemctl", "-q", "restart" if unit["was_active"] else "stop", unit["name"]]
            for unit in meta["units"]
            if unit["restart"] or unit["was_active"] != unit["active"]
        ]
    for argv in commands:
        code, out, err = run(argv)
        if code:
            troubles.append(f"`{called(argv)}` ended with {code}: {(err or out).strip()[-300:]}")
    for name, value in meta["live"].items() if live else ():  # last, because a reload may set them
        try:
            sysctl(name).write_text(value)
        except OSError as error:
            troubles.append(str(error))
    return troubles


def keep_what_was_found(index: int, saved: Any, written: str | None) -> list[str]:
    """The text of somebody who edited a file while the transaction was open, kept, and the sentence that says where it is."""
    path = Path(saved["path"])
    found = content(path)
    ours = [None if written is None else written.encode(errors="surrogateescape"), content(PENDING / str(index))]
    if found is None or found in ours:
        return []
    number = 0
    name = f"{index}.found"
    while (PENDING / name).exists() and content(PENDING / name) != found:
        number += 1
        name = f"{index}.found.{number}"
    if not (PENDING / name).exists():
        try:
            os.link(path, PENDING / name)
        except OSError:  # another file system, or one without hard links
            write(PENDING / name, found)
    return [f"{path} was edited meanwhile; that text is kept in {BACKUPS}, in the newest folder, as {name}"]


def outcome(token: str | None) -> Any:
    """What this host holds of a transaction: armed, applying, applied, reverting, confirmed, reverted, given up, or unknown."""
    return steady(lambda: _outcome(token))


def _outcome(token: str | None) -> Any:
    meta = load(PENDING / "meta.json")
    if meta and meta["token"] == token:
        state = state_of(meta)
        if state == "reverting":
            news = told(meta["token"])
            reason, troubles = news.get("reason", ""), news.get("troubles", [])
            said = [REASONS.get(reason, reason)] if reason else []
            return {"state": state, "revert_in_s": 0, "reason": "; ".join([*said, *troubles]), "troubles": troubles}
        return {"state": state, "revert_in_s": meta["until"] - now(), "reason": ""}
    for entry in reversed(recorded()[0]):
        if entry["token"] == token:
            kept = {"state": entry["outcome"], "reason": entry["reason"], "troubles": entry.get("troubles", []), "at": entry["at"]}
            return {**kept, "owed": [one["trouble"] for one in debts(token)]}
    return {"state": "unknown", "reason": "this host has no transaction of that token"}


def op_revert(ask: Any) -> Any:
    """Roll back, as the controller asks. One that has not begun here yet, because its request is still on its way, never will."""
    kept = revert(ask["token"], ask.get("reason") or "rolled back")
    if kept["state"] == "unknown" and "why" in ask:
        with locked():
            remember(ask, "reverted", "it had not begun")
        kept = outcome(ask["token"])
    return kept


def op_outcome(ask: Any) -> Any:
    """What this host holds of a transaction."""
    return outcome(ask["token"])


def op_perform(ask: Any) -> Any:
    """Run a command that is not taken back by a timer, apart from the session: it ends also where nobody waits any more."""
    with locked():
        take_lease(ask)
        renew_lease(ask["run"], longer_s=ask["deadline_s"])
        if PENDING.exists():
            raise Refused(f"a transaction is open: {load(PENDING / 'meta.json')['why']}")
    name = f"burrow-command-{os.urandom(6).hex()}"
    said = {what: HOME / f"{name}.{what}" for what in ("out", "err")}
    kept = [f"--property=Standard{where}=file:{said[what]}" for where, what in (("Output", "out"), ("Error", "err"))]
    limit = f"--property=RuntimeMaxSec={ask['deadline_s']:.0f}"
    code, _, trouble = run(
        ["systemd-run", "--quiet", "--collect", "--wait", f"--unit={name}", "--setenv=LC_ALL=C", limit, *kept, *ask["argv"]],
        ask["deadline_s"] + 5,
    )
    texts = {what: path.read_text(errors="replace") if path.exists() else "" for what, path in said.items()}
    for path in said.values():
        path.unlink(missing_ok=True)
    with locked():
        renew_lease(ask["run"])
    return {"rc": code, "out": texts["out"], "err": texts["err"] or trouble}


def op_reboot(ask: Any) -> Any:
    """Boot in a second: the answer goes out before."""
    with locked():
        take_lease(ask)
    code, out, err = run(
        ["systemd-run", "--quiet", "--collect", "--on-active=1s", "--timer-property=AccuracySec=100ms", "systemctl", "reboot"]
    )
    if code:
        raise Refused(f"systemd takes no reboot: {(err or out).strip()}")
    return {}


def op_release(ask: Any) -> Any:
    """Give the lease back."""
    with locked():
        give_back(ask["run"])
    return {}


def remove() -> None:
    """Take Burrow off this host."""
    if PENDING.exists():
        sys.exit("burrow: a transaction is open; `burrow revert` first")
    if owed := debts():
        sys.exit(f"burrow: {owed[0]['trouble']}: not undone yet; `burrow owed` tries it now, `rm -r {OWED}` gives it up")
    for path in (OWED_WANTED, OWED_UNIT, RETRY_WANTED, RETRY_UNIT, WANTED, UNIT, COMMAND):
        path.unlink(missing_ok=True)
    for folder in (LIBRARY, SHELF, RUNTIME, HOME):
        shutil.rmtree(folder, ignore_errors=True)
    print("burrow is off this host; the configuration it wrote stays")


def show_status() -> None:
    """The status for somebody at the console."""
    now_ = status()
    pending, lease = now_["pending"], now_["lease"]
    if pending and pending["state"] == "reverting":
        print(f"pending: {pending['why']} by {pending['holder']} since {pending['armed_at']}, reverting until every file is back")
        for trouble in pending["troubles"]:
            print(f"         {trouble}")
    elif pending:
        since = f"since {pending['armed_at']}, {pending['state']}"
        print(f"pending: {pending['why']} by {pending['holder']} {since}, restores itself in {pending['revert_in_s']} s")
    else:
        print("pending: nothing")
    for one in now_["owed"]:
        print(f"owed:    {one['why']} by {one['holder']}: {one['trouble']}")
    print(f"lease:   {lease['holder']} since {lease['since']}" if lease else "lease:   nobody")
    for remark in now_["remarks"]:
        print(f"remark:  {remark}")
    for entry in now_["records"]:
        print(f"{entry['at']}  {entry['outcome']:9}  {entry['why']}  {entry['reason']}")


def answer(ask: Any) -> None:
    """One request of the controller; its answer is the last line."""
    os.umask(0o077)
    try:
        emit(answer=globals()["op_" + ask["op"]](ask))
    except Refused as refusal:
        emit(refused=str(refusal))
    except UnicodeEncodeError as error:
        emit(refused=f"a text in the request cannot be written as UTF-8 ({error.reason}): nothing was changed")
    except OSError as error:
        undone = UNDONE.get(ask["op"], "nothing was changed")
        emit(refused=redact(f"{sentence(error)}: {undone}; {REMEDIES.get(error.errno or 0, 'mend that')} and run again"))


def main(words: list[str]) -> None:
    """The command line: of the console, the units and the timer. Ends with a sentence where the system refuses something."""
    try:
        command(words)
    except (Refused, OSError) as error:
        sys.exit(f"burrow: {sentence(error) if isinstance(error, OSError) else error}")


def command(words: list[str]) -> None:
    """What main is asked for."""
    asked = {
        "apply": lambda: apply(words[1]),
        "boot": restore_at_boot,
        "revert": lambda: revert_for(words[1:]),
        "retry": retry,
        "give-up": give_up,
        "owed": pay_all,
        "status": lambda: print(json.dumps(status())) if words[1:] == ["--json"] else show_status(),
        "remove": remove,
    }
    if not words or words[0] not in asked:
        sys.exit(__doc__)
    asked[words[0]]()


def restore_at_boot() -> None:
    """What is pending is restored; where that cannot be completed yet, it is tried again later in this boot."""
    if (kept := revert(None, "boot", live=False))["state"] == "reverting":
        print(f"burrow: {kept['reason']}; tried again later in this boot", file=sys.stderr)


def revert_for(words: list[str]) -> None:
    """`revert [TOKEN [REASON]]`. Exits with 1 where it is not complete, unless it is the timer's and goes on in a unit of its own."""
    kept = revert(words[0] if words else None, words[1] if words[1:] else "hand")
    print(json.dumps(kept))
    if kept["state"] == "reverting" and not (kept["retried"] and words[1:] == ["timer"]):
        sys.exit(f"burrow: {kept['reason']}; it is tried again until every file is back")


def pay_all() -> None:
    """Try everything that is owed. Exits with 1 where something is left."""
    pay()
    if left := debts():
        sys.exit(f"burrow: {left[0]['trouble']}; it is tried until it succeeds")


if __name__ == "__main__":
    if "REQUEST" in globals():
        answer(globals()["REQUEST"])
    else:
        os.umask(0o077)
        # A text of somebody else may hold bytes that are no UTF-8.
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        SOURCE = Path(__file__).read_text()
        main(sys.argv[1:])
