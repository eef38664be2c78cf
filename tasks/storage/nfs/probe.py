"""A probe of each export from a client: mount it, write, read back and clean up, in a mount namespace that ends with the probe."""

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.models import LinkKind
from inventory.nfs_models import Access, Export
from inventory.site import Site
from tasks.core.model.fact import Fact

# One line an export, separated by tabs: server:path, mount, folder, root's file, written, read, left. Each line is one write, because the
# probes of all exports run at the same time.
# `soft` and `retry=0`: a server that is down must not hang the host. `iflag=direct` reads past the cache. File names contain the host's
# name, so that the next probe removes the files of one that was killed. A second probe at the same time waits for the first.
PROBE_SCRIPT = r"""
say() { printf '%s:%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }
as_owner() { setpriv --reuid "$uid" --regid "$gid" --clear-groups "$@"; }
keep() { file=$1; shift; "$@" sh -c 'echo "$2" > "$1"' keep "$file" "$token" 2>/dev/null; }
back() { file=$1; shift; [ "$("$@" dd if="$file" iflag=direct status=none 2>/dev/null)" = "$token" ] && read=yes; }
tidy() { as_owner rm -f "$at/$name.owner"; rm -f "$at/$name.root" "$at/$name.owner"; } 2>/dev/null
probe() {
  at=/mnt/$1; server=$2 path=$3 uid=$4 gid=$5 access=$6; mkdir -p "$at"
  if ! output=$(timeout 8 mount -t nfs4 -o soft,timeo=30,retrans=1,retry=0,nosuid,nodev,noexec "$server:$path" "$at" 2>&1); then
    say "$server" "$path" "$(echo "no: $output" | tr '\n\t' '  ')" - - - - -; return
  fi
  folder=$(stat -c '%u:%g %a' "$at"); root=- written=- read=- left=-
  if [ "$access" = rw ]; then
    tidy; root=denied written=no read=no
    keep "$at/$name.root" && root=$(stat -c %u:%g "$at/$name.root")
    if keep "$at/$name.owner" as_owner; then written=yes; back "$at/$name.owner" as_owner
    elif [ "$root" != denied ]; then written=yes; back "$at/$name.root"; fi
    tidy; left=$({ ls -A "$at" || as_owner ls -A "$at"; } 2>/dev/null | grep -c "^$name")
  fi
  say "$server" "$path" yes "$folder" "$root" "$written" "$read" "$left"; umount "$at"
}
read -r host < /proc/sys/kernel/hostname; read -r token < /proc/sys/kernel/random/uuid; name=.burrow-probe-$host
mount -t tmpfs none /mnt || exit 1
"""


@dataclass(frozen=True)
class NfsProbe:
    """What a host found at an export; `-` where it did not try."""

    export: str
    mounted: str
    folder: str
    root: str
    written: str
    read: str
    left: str


def _probes(output: str) -> dict[str, NfsProbe]:
    """Raises ValueError on a line that is not a probe's."""
    found: dict[str, NfsProbe] = {}
    for line in output.splitlines():
        export, mounted, folder, root, written, read, left = line.split("\t")
        found[export] = NfsProbe(export, mounted, folder, root, written, read, left)
    return found


def exports_for(site: Site, host: str) -> Iterator[tuple[str, str, Export]]:
    """(server, path, export) of the exports that a node may mount. It also tries them for its virtual machines."""
    one = site.hosts[host]
    if one.link is not LinkKind.SSH or one.vm is not None or one.nfs is not None:
        return
    for server in site.hosts.values():
        for path, export in (server.nfs.exports if server.nfs else {}).items():
            if any(one.address.ip in clients for clients in export.clients):
                yield server.name, path, export


def _script(site: Site, host: str) -> str:
    calls = []
    for number, (server, path, export) in enumerate(exports_for(site, host)):
        uid, gid = export.owner.split(":")
        access = "rw" if export.access is Access.READ_WRITE else "ro"
        calls.append(f"probe {number} {site.hosts[server].address.ip} {path} {uid} {gid} {access} &")
    if not calls:
        return ""
    body = PROBE_SCRIPT + "\n".join(calls) + "\nwait"
    return f"timeout -k 1 10 flock /run/burrow-nfs-probe unshare -m sh <<'BURROW' | sort\n{body}\nBURROW\n"


NFS_PROBES = Fact("nfs_probes", "mounts, writes and reads each export", _probes, _script, within_s=12)
