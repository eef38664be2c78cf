#!/usr/bin/env python3
"""Burrow's part on a host: the only thing that restores, and it needs nothing but Python's standard library and systemd.

A transaction is a folder, /var/lib/burrow/pending, that is on disk before the first byte of the host changes: its token, backups of
every file and live value that it touches, and what to run. A systemd timer restores it unless it is confirmed; at boot, before the
network, whatever is still pending is restored. All times are monotonic, so a clock that jumps changes nothing.

What a transaction did elsewhere, to the cluster that this host speaks for, no boot and no file here takes back: its undo is owed, which
is on disk too, and tried by a unit of its own until it succeeds. It keeps nobody from changing this host meanwhile.

On the host's own console:  burrow status | burrow revert | burrow owed | burrow remove
"""

import contextlib
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
LIBRARY, COMMAND, UNIT = Path("/usr/local/lib/burrow"), Path("/usr/local/sbin/burrow"), Path("/etc/systemd/system/burrow-boot.service")
WANTED = UNIT.parent / "sysinit.target.wants" / UNIT.name
OWED, OWED_UNIT = HOME / "owed", UNIT.with_name("burrow-owed.service")
OWED_WANTED = UNIT.parent / "multi-user.target.wants" / OWED_UNIT.name
KEPT_BACKUPS, KEPT_RECORDS = 5, 50
# A reading that waits for others keeps its lease meanwhile.
RENEW_S = 5
# A timer that is so late does not come any more.
OVERDUE_S = 30
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

    def shown(found: "re.Match[str]") -> str:
        rest = found[0].removeprefix(found[1])
        return found[1] + REMOVED + (found.re.sub(shown, rest.removeprefix(REMOVED)) if rest.startswith(REMOVED) else "")

    for pattern in SECRETS:
        line = pattern.sub(shown, line)
    return line


def emit(**event: Any) -> None:
    """One line to the controller; a controller that is gone changes nothing here."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def write(path: Path, data: bytes, mode: int = 0o600, owner: Any = None) -> None:
    """Replace a file as one step that a power cut cannot halve."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), mode)
        if owner:
            os.fchown(file.fileno(), *owner)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """A rename in the folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def load(path: Path) -> Any:
    """A JSON file, None where there is none."""
    return json.loads(path.read_text()) if path.exists() else None


def save(path: Path, value: Any) -> None:
    """Write a JSON file."""
    write(path, json.dumps(value).encode())


@contextlib.contextmanager
def locked(what: str = "lock") -> Iterator[None]:
    """One process at a time decides what becomes of the pending transaction; or, by a lock of its own, of what is owed."""
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (HOME / what).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(argv: list[str], deadline_s: float = 60) -> tuple[int, str, str]:
    """Run to the end or to its deadline, with its whole process group. Answers (exit code, stdout, stderr).

    As a shell does: 127 where the program is not there, 124 at the deadline.
    """
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True, env=ENVIRONMENT)
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
    return code, out.decode(errors="replace"), err.decode(errors="replace")


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
    lease = load(LEASE)
    return lease if lease and lease["boot"] == boot_id() and lease["until"] > now() else None


def take_lease(ask: Any) -> None:
    """Take or renew the lease. Refuses while another run holds it or has a transaction open."""
    lease, pending = lease_now(), load(PENDING / "meta.json")
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
    """Renew the lease where this run holds it."""
    lease = lease_now()
    if lease and lease["run"] == run_id:
        save(LEASE, {**lease, "until": now() + lease["ttl_s"] + longer_s})


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
            "state": (PENDING / "state").read_text(),
            "revert_in_s": round(pending["until"] - now(), 1),
            "overdue": overdue(pending),
        }
    records = [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []
    owed = [{key: one[key] for key in ("why", "holder", "trouble")} for one in debts()]
    return {"pending": pending, "owed": owed, "lease": lease_now(), "records": records[-5:], "boot": boot_id()}


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
    if pending and overdue(pending):
        revert(pending["token"], "overdue")
    with locked():
        take_lease(ask)
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


def install() -> None:
    """Put this file and its boot unit on the host, under a hash of its content."""
    source = SOURCE.encode()
    folder = LIBRARY / hashlib.sha256(source).hexdigest()[:16]
    units = ((WANTED, UNIT, BOOT_UNIT), (OWED_WANTED, OWED_UNIT, OWED_SERVICE))
    there = all(unit.exists() and wanted.is_symlink() for wanted, unit, _ in units)
    if COMMAND.exists() and COMMAND.resolve() == folder / "burrow" and there:
        return
    write(folder / "burrow", source, 0o755)
    for _, unit, text in units:
        write(unit, text.encode(), 0o644)
    for link, target in ((COMMAND, folder / "burrow"), *((wanted, unit) for wanted, unit, _ in units)):
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(link)
        sync_folder(link.parent)
    for old in LIBRARY.iterdir():
        if old != folder and not PENDING.exists():
            shutil.rmtree(old)


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
        refuse_if_changed(ask)
        validate(ask)
        back_up(ask)
        take_over(ask)
    if trouble := arm_and_apply(ask):
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


def refuse_if_changed(ask: Any) -> None:
    """The host is as it was when the controller made its plan."""
    for path in ask["absent"]:
        if Path(path).exists():
            raise Refused(f"{path} exists: somebody else's change is open there; apply or remove it first")
    for item in ask["files"]:
        path = Path(item["path"])
        # The fact that a file holds cannot tell an empty file from an absent one.
        text = path.read_bytes().decode(errors="surrogateescape") if path.exists() else ""
        if text != (item["before"] or ""):
            raise Refused(f"{path} was changed since it was read; run again to see the new difference")


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
    """The pending folder, whole and on disk, before the first byte changes."""
    draft = HOME / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    saved = []
    for index, item in enumerate(ask["files"]):
        path = Path(item["path"])
        if path.exists():
            stat = path.stat()
            write(draft / str(index), path.read_bytes())
            kept = {"mode": stat.st_mode & 0o7777, "owner": [stat.st_uid, stat.st_gid]}
        else:
            kept = {"mode": None}
        saved.append({"path": item["path"], "mount": mount_of(path), **kept})
    units = [
        {
            **unit,
            "was_enabled": not run(["systemctl", "is-enabled", "-q", unit["name"]])[0],
            "was_active": not run(["systemctl", "is-active", "-q", unit["name"]])[0],
        }
        for unit in ask["units"]
    ]
    live = {name: sysctl(name).read_text() for name in (*ask["sysctls"], *ask["saved"]) if sysctl(name).exists()}
    meta = {key: ask[key] for key in ("token", "run", "holder", "why", "files", "actions", "sysctls", "revert_s")}
    save(
        draft / "meta.json",
        {
            **meta,
            "saved": saved,
            "units": units,
            "live": live,
            "boot": boot_id(),
            "until": now() + ask["revert_s"],
            "armed_at": time.strftime("%Y-%m-%d %H:%M:%S"),
        },
    )
    write(draft / "state", b"armed")
    draft.replace(PENDING)
    sync_folder(HOME)


def mount_of(path: Path) -> str:
    """Where the file system is mounted that a path is on."""
    return next(str(folder) for folder in path.parents if os.path.ismount(folder))


def apply(token: str) -> None:
    """Carry the armed transaction out; what fails is restored at once."""
    with locked():
        meta = load(PENDING / "meta.json")
        if not meta or meta["token"] != token:
            return
        write(PENDING / "state", b"applying")
        try:
            failure = apply_steps(meta)
        except OSError as error:
            failure = str(error)
        if not failure:
            write(PENDING / "state", b"applied")
    if failure:
        revert(token, failure, stop_apply=False)


def apply_steps(meta: Any) -> str | None:
    """None, or the sentence that says what failed."""
    for item, saved in zip(meta["files"], meta["saved"], strict=True):
        if item["text"] is None:
            Path(item["path"]).unlink(missing_ok=True)
        else:
            write(Path(item["path"]), item["text"].encode(errors="surrogateescape"), saved["mode"] or item["mode"], saved.get("owner"))
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
        if meta and meta["token"] == ask["token"] and (PENDING / "state").read_text() == "applied":
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
            if (PENDING / "state").read_text() != "applied":
                raise Refused("the transaction is not applied, so there is nothing to confirm")
            close(meta, "confirmed", "")
            renew_lease(meta["run"])
    return outcome(ask["token"])


def close(meta: Any, result: str, reason: str, troubles: list[str] | None = None) -> None:
    """On disk first; only then the folder moves away and the timer ends."""
    remember(meta, result, reason, troubles)
    BACKUPS.mkdir(mode=0o700, exist_ok=True)
    PENDING.replace(BACKUPS / f"{time.time_ns()}-{meta['token']}")
    sync_folder(HOME)
    for old in sorted(BACKUPS.iterdir())[:-KEPT_BACKUPS]:
        shutil.rmtree(old)
    run(["systemctl", "-q", "stop", f"burrow-revert-{meta['token']}.timer"])


def remember(meta: Any, result: str, reason: str, troubles: list[str] | None = None) -> None:
    """A line of the record, which is bounded."""
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    entry = {
        "token": meta["token"],
        "run": meta["run"],
        "holder": meta["holder"],
        "why": meta["why"],
        "outcome": result,
        "reason": redact(reason),
        "troubles": [redact(one) for one in troubles or []],
        "at": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    write(RECORD, ("\n".join([*lines[1 - KEPT_RECORDS :], json.dumps(entry)]) + "\n").encode())


def revert(token: str | None, reason: str, *, stop_apply: bool = True, live: bool = True) -> Any:
    """Restore what the pending transaction saved, and undo what it did elsewhere; without a token, whatever is pending or owed."""
    pending = load(PENDING / "meta.json")
    if stop_apply and live and pending and token in (None, pending["token"]):
        run(["systemctl", "-q", "stop", f"burrow-apply-{pending['token']}.service"])
    with locked():
        meta = load(PENDING / "meta.json")
        if meta and token in (None, meta["token"]):
            begun = (PENDING / "state").read_text() != "armed"
            troubles, owed = (restore(meta, live=live), undo_elsewhere(meta, live=live)) if begun else ([], [])
            close(meta, "reverted", "; ".join([REASONS.get(reason, reason), *troubles, *owed]), troubles)
            lease = lease_now()
            if reason in REASONS and lease and lease["run"] == meta["run"]:
                LEASE.unlink()  # its run is dead, cut off, or unwanted: the next need not wait for it
        elif live:
            pay(token)
    if live and debts(token):
        run(["systemctl", "-q", "--no-block", "start", OWED_UNIT.name])
    return outcome(token or (meta and meta["token"]))


# What is owed: the undo of what was done elsewhere. Whoever takes both locks takes this one last.


def debts(token: str | None = None) -> list[Any]:
    """What is owed of a transaction, or of all."""
    found = []
    for path in sorted(OWED.glob(f"{token or '*'}.json")):
        with contextlib.suppress(FileNotFoundError):  # paid in this moment
            found.append(json.loads(path.read_text()))
    return found


def undo_elsewhere(meta: Any, *, live: bool) -> list[str]:
    """On disk as owed first, then tried; answers what is still owed. Before the network is up, nothing is tried."""
    undo = [{"argv": one["undo"], "deadline_s": one["deadline_s"]} for one in reversed(meta["actions"]) if one.get("lasting")]
    if not undo:
        return []
    kept = {key: meta[key] for key in ("token", "run", "holder", "why")}
    save(OWED / f"{meta['token']}.json", {**kept, "undo": undo, "trouble": f"`{called(undo[0]['argv'])}` waits for the network"})
    sync_folder(HOME)
    if live:
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
        save(path, debt)
    else:
        path.unlink()
        sync_folder(OWED)


def take_over(ask: Any) -> None:
    """What a transaction will undo itself is owed no more: it would be undone in the middle of it."""
    own = [one["undo"] for one in ask["actions"] if one.get("lasting")]
    if own:
        with locked("owed.lock"):
            for debt in debts():
                keep_owed({**debt, "undo": [one for one in debt["undo"] if one["argv"] not in own]})


def restore(meta: Any, *, live: bool) -> list[str]:
    """Files, then what makes them live; answers what could not be undone."""
    troubles = []
    for index, saved in enumerate(meta["saved"]):
        if not os.path.ismount(saved.get("mount", "/")):  # /etc/pve at boot: what is written below it then keeps it from being mounted
            troubles.append(f"{saved['path']} stays: {saved['mount']} is not mounted; its text is kept in {BACKUPS}, newest, as {index}")
            continue
        try:
            troubles += keep_what_was_found(index, saved, meta["files"][index]["text"])
            if saved["mode"] is None:
                Path(saved["path"]).unlink(missing_ok=True)
            else:
                write(Path(saved["path"]), (PENDING / str(index)).read_bytes(), saved["mode"], saved["owner"])
        except OSError as error:
            troubles.append(str(error))
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
    """A copy of a file that somebody edited while the transaction was open, and the sentence that says where it is."""
    path = Path(saved["path"])
    found = path.read_bytes() if path.exists() else None
    ours = [None if written is None else written.encode(errors="surrogateescape")]
    ours.append((PENDING / str(index)).read_bytes() if saved["mode"] is not None else None)
    if found is None or found in ours:
        return []
    write(PENDING / f"{index}.found", found)
    return [f"{path} was edited meanwhile; that text is kept in {BACKUPS}, in the newest folder, as {index}.found"]


def outcome(token: str | None) -> Any:
    """What this host holds of a transaction: armed, applying, applied, confirmed, reverted, or unknown."""
    return steady(lambda: _outcome(token))


def _outcome(token: str | None) -> Any:
    meta = load(PENDING / "meta.json")
    if meta and meta["token"] == token:
        return {"state": (PENDING / "state").read_text(), "revert_in_s": meta["until"] - now(), "reason": ""}
    for line in reversed(RECORD.read_text().splitlines() if RECORD.exists() else []):
        entry = json.loads(line)
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
        lease = lease_now()
        if lease and lease["run"] == ask["run"]:
            LEASE.unlink()
    return {}


def remove() -> None:
    """Take Burrow off this host."""
    if PENDING.exists():
        sys.exit("burrow: a transaction is open; `burrow revert` first")
    if owed := debts():
        sys.exit(f"burrow: {owed[0]['trouble']}: not undone yet; `burrow owed` tries it now, `rm -r {OWED}` gives it up")
    for path in (OWED_WANTED, OWED_UNIT, WANTED, UNIT, COMMAND):
        path.unlink(missing_ok=True)
    for folder in (LIBRARY, HOME):
        shutil.rmtree(folder, ignore_errors=True)
    print("burrow is off this host; the configuration it wrote stays")


def show_status() -> None:
    """The status for somebody at the console."""
    now_ = status()
    pending, lease = now_["pending"], now_["lease"]
    print(
        f"pending: {pending['why']} by {pending['holder']} since {pending['armed_at']}, {pending['state']},"
        f" restores itself in {pending['revert_in_s']} s"
        if pending
        else "pending: nothing"
    )
    for one in now_["owed"]:
        print(f"owed:    {one['why']} by {one['holder']}: {one['trouble']}")
    print(f"lease:   {lease['holder']} since {lease['since']}" if lease else "lease:   nobody")
    for entry in now_["records"]:
        print(f"{entry['at']}  {entry['outcome']:9}  {entry['why']}  {entry['reason']}")


def answer(ask: Any) -> None:
    """One request of the controller; its answer is the last line."""
    try:
        emit(answer=globals()["op_" + ask["op"]](ask))
    except Refused as refusal:
        emit(refused=str(refusal))


def main(words: list[str]) -> None:
    """The command line: of the console, the units and the timer."""
    if words[:1] == ["apply"]:
        apply(words[1])
    elif words[:1] == ["boot"]:
        revert(None, "boot", live=False)
    elif words[:1] == ["revert"]:
        print(json.dumps(revert(words[1] if words[1:] else None, words[2] if words[2:] else "hand")))
    elif words == ["owed"]:
        pay()
        if left := debts():
            sys.exit(f"burrow: {left[0]['trouble']}; it is tried until it succeeds")
    elif words == ["status"]:
        show_status()
    elif words == ["status", "--json"]:
        print(json.dumps(status()))
    elif words == ["remove"]:
        remove()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if "REQUEST" in globals():
        answer(globals()["REQUEST"])
    else:
        SOURCE = Path(__file__).read_text()
        main(sys.argv[1:])
