"""A transaction as data: what one run writes on one host, applied, checked, then confirmed or undone as one."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

INTERFACES = "/etc/network/interfaces"
FRR_CONF, FRR_DAEMONS = "/etc/frr/frr.conf", "/etc/frr/daemons"
# Somebody else's change is open where the hypervisor's own tools staged one (Proxmox VE, pve-network).
INTERFACES_STAGED = "/etc/network/interfaces.new"
# What a cluster shares is mounted here by its daemon; written below the bare folder, a file keeps it from being mounted again.
PVE = "/etc/pve"
SHARED_MOUNTS = (PVE,)


def shared_mount(path: str) -> str:
    """The shared mount that a path is below; empty where it is below none."""
    return next((mount for mount in SHARED_MOUNTS if path.startswith(f"{mount}/")), "")


@dataclass(frozen=True)
class FileWrite:
    """A whole file: as it was read (None: absent) and as it will be. `validate` names the candidate's path as {candidate}.

    `mount` is the shared mount that it was read on: nothing is written where that is not mounted any more.
    """

    path: str
    before: str | None
    text: str | None
    mode: int = 0o644
    validate: tuple[str, ...] = ()
    mount: str = ""


@dataclass(frozen=True)
class Action:
    """A command that makes files live, and the one that does so again after they were restored.

    An early one runs before the network configuration is made live; `shown` is its line in a diff, where no file says what it does.
    A lasting one acts beyond the host, on the cluster that it speaks for: no boot ends that, so the host tries `undo` until it succeeds.
    A coordinated one succeeds only while the same is done on other hosts.
    """

    argv: tuple[str, ...]
    undo: tuple[str, ...]
    deadline_s: float = 30.0
    early: bool = False
    shown: str = ""
    lasting: bool = False
    coordinated: bool = False


@dataclass(frozen=True)
class Unit:
    """A systemd unit's wanted state; `restart` also restarts it where it already runs."""

    name: str
    enabled: bool = True
    active: bool = True
    restart: bool = False


# ifupdown2 3.0 checks a candidate with `ifup -s -i`; `ifreload -s` would read the installed file.
IFRELOAD = Action(("ifreload", "-a"), ("ifreload", "-a"))
CHECK_INTERFACES = ("ifup", "-s", "-a", "-i", "{candidate}")
# Syntax alone, and FRR need not run: what frr-reload.py's own --test says of a file that cannot be parsed is "delete everything".
CHECK_FRR = ("vtysh", "-C", "-f", "{candidate}")
# Daemons come and go by the unit's own reload, which leaves those that stay alone and keeps the new ones in the unit; called by hand,
# `frrinit.sh reload` ends watchfrr, and systemd then starts all of FRR anew. Its exit code says nothing, so frr-reload.py is asked again:
# with the installed file, or it would write that anew in its own order. At its usual level it logs every line that it executes, keys too:
# what the unit's reload has added to the log is cut off again.
# A daemon that died comes back by watchfrr, with another process id and without its state.
FRR_RELOAD_SCRIPT = r"""
systemctl -q is-active frr || exit 0
umask 077
ids() {
  for file in /run/frr/*.pid; do
    name=${file##*/} id=$(cat "$file")
    [ "$name" = watchfrr.pid ] || ! kill -0 "$id" 2>/dev/null || echo "${name%.pid} $id"
  done
}
names() { echo "$1" | sed 's/[- ].*//'; }
says() { sed -n "s/^\([a-z0-9]*d\)=\"\{0,1\}$1.*/\1/p" /etc/frr/daemons; }
said=/run/frr/burrow-reload
before=$(ids)
surplus=$(says no | grep -xF "$(names "$before")")
if [ -n "$surplus$(says yes | grep -vxF "$(names "$before")")" ]; then
  log=/var/log/frr/frr-reload.log size=$(stat -c %s /var/log/frr/frr-reload.log 2>/dev/null)
  systemctl reload frr
  code=$?
  [ ! -e $log ] || truncate -s "<${size:-0}" $log
  [ $code = 0 ] || exit 1
fi
/usr/lib/frr/frr-reload.py --log-level error --reload /etc/frr/frr.conf >$said 2>&1
code=$?
if [ $code != 0 ]; then
  grep -E '% |remove|Failure|rror' $said >&2 || tail -n 5 $said >&2
  exit $code
fi
# ospfd takes a new router id once its process is cleared: the daemon stays, every adjacency begins anew.
want=$(sed -n 's/^ *ospf router-id \([0-9.]*\).*/\1/p' /etc/frr/frr.conf)
have=$(vtysh -c 'show ip ospf json' 2>/dev/null | sed -n 's/^ *"routerId": *"\([0-9.]*\)".*/\1/p')
[ -z "$want" ] || [ -z "$have" ] || [ "$want" = "$have" ] || vtysh -c 'clear ip ospf process' || exit 1
after=$(ids)
echo "$before" | grep . | while read -r name id; do
  echo "$after" | grep -qx "$name $id" || echo "$surplus" | grep -qx "$name" && continue
  echo "FRR's $name died during the reload" >&2
  exit 1
done || exit 1
for name in $(says yes); do
  names "$after" | grep -qx "$name" && continue
  echo "FRR's $name did not start" >&2
  exit 1
done
"""
FRR_UNIT = Unit("frr.service")
FRR_RELOAD = Action(("/bin/sh", "-c", FRR_RELOAD_SCRIPT, "frr reload"), ("/bin/sh", "-c", FRR_RELOAD_SCRIPT, "frr reload"))
# What frr-reload.py switches on by the way where the file is silent.
FRR_FLIPS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")


@dataclass(frozen=True)
class Call:
    """A call of a device's API, and the one that takes it back; without that it stays, and `shown` says so.

    `parameters` is a JSON list; in those of `undo`, {id} is the id of what the call made. A job is waited for.
    """

    method: str
    parameters: str
    shown: str = ""
    undo: "Call | None" = None
    job: bool = False
    impact: tuple[str, ...] = ()


WITH_MOUNT = r"""
mountpoint -q "$1" || { echo "$1 is not mounted: nothing was done; start what mounts it, then run again" >&2; exit 1; }
shift
exec "$@"
"""


@dataclass(frozen=True)
class Command:
    """A command that no timer takes back: `undo` is its opposite; without that it stays, which the plan says.

    It goes on when the connection that asked for it breaks, and the next run finds what came of it. `mount` is the shared mount that it
    and its opposite write below: where that is not mounted neither is run.
    """

    argv: tuple[str, ...]
    shown: str
    undo: tuple[str, ...] = ()
    deadline_s: float = 120.0
    impact: tuple[str, ...] = ()
    mount: str = ""

    @property
    def guarded(self) -> tuple[str, ...]:
        """What is run on the host: the command itself, after a look at its mount."""
        return ("/bin/sh", "-c", WITH_MOUNT, self.argv[0], self.mount, *self.argv) if self.mount else self.argv

    def opposite(self) -> "Command | None":
        """What takes it back."""
        return Command(self.undo, self.shown, mount=self.mount) if self.undo else None


@dataclass(frozen=True)
class Transaction:
    """Files, then live values, then actions, then units; restored the other way round. `saved` names live values that it may flip.

    What has no timer is by itself: calls of a device with an API, commands of a host.
    """

    why: str
    files: tuple[FileWrite, ...] = ()
    actions: tuple[Action, ...] = ()
    units: tuple[Unit, ...] = ()
    sysctls: dict[str, str] = field(default_factory=dict)
    saved: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    commands: tuple[Command, ...] = ()
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def timed(self) -> bool:
        """Whether the host itself takes it back unless it is confirmed in time."""
        return not self.calls and not self.commands

    def request(self, revert_s: int) -> dict[str, Any]:
        """As the host's part takes it; it restores itself `revert_s` seconds after it is armed."""
        return {**asdict(self), "revert_s": revert_s}


VALIDATE = {INTERFACES: CHECK_INTERFACES, FRR_CONF: CHECK_FRR}
# FRR's files hold keys (Debian gives them this mode).
MODES = {FRR_CONF: 0o640, FRR_DAEMONS: 0o640}


def network_transaction(why: str, before: Mapping[str, str], after: Mapping[str, str], token: str) -> Transaction:
    """The transaction that makes the files of a network configuration, {path: text}, and the live state `after`."""
    changed = [path for path, text in after.items() if text != before.get(path, "")]
    frr = {FRR_CONF, FRR_DAEMONS} & set(changed)
    return Transaction(
        why=why,
        files=tuple(FileWrite(p, before.get(p) or None, after[p], MODES.get(p, 0o644), VALIDATE.get(p, ())) for p in changed),
        actions=(*([IFRELOAD] if INTERFACES in changed else []), *([FRR_RELOAD] if frr else [])),
        # A file that starts daemons means that FRR runs.
        units=(FRR_UNIT,) if FRR_DAEMONS in changed else (),
        saved=FRR_FLIPS if frr else (),
        absent=(INTERFACES_STAGED,),
        token=token,
    )
