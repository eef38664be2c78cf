"""The facts of an NFS server and its clients that the storage changes and checks need."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from inventory.site import Site
from tasks.core.model.fact import Fact, T, text
from tasks.platforms.systemd import unit_state
from tasks.storage.nfs.exports_file import EXPORTS, Row, rows, served_rows

SETTINGS = "/etc/nfs.conf.d/burrow.conf"
UNIT = "nfs-server.service"


@dataclass(frozen=True)
class FileSystem:
    """A mounted file system; sizes in bytes."""

    target: str
    source: str
    kind: str
    uuid: str
    writable: bool
    size: int
    free: int


@dataclass(frozen=True)
class Folder:
    """A path's kind (`directory`, `symbolic link`), owner as UID:GID, and mode as four octal digits."""

    kind: str
    owner: str
    mode: str


@dataclass(frozen=True)
class Server:
    """The kernel's NFS server: the versions that it serves, and its threads."""

    versions: tuple[int, ...] = ()
    threads: int = 0


def _file_systems(output: str) -> Mapping[str, FileSystem]:
    """From `findmnt -J -l`. Of two on the same target, the later one covers the other."""
    found = json.loads(output)["filesystems"] if output.strip() else ()
    return {one["target"]: _file_system(one) for one in found}


def _file_system(one: Mapping[str, Any]) -> FileSystem:
    writable = "rw" in one["options"].split(",")
    return FileSystem(
        one["target"], one["source"], one["fstype"], one["uuid"] or "", writable, int(one["size"] or 0), int(one["avail"] or 0)
    )


def _folders(output: str) -> Mapping[str, Folder]:
    """From stat's %n, %F, %u:%g and %a, separated by tabs."""
    found = (line.split("\t") for line in output.splitlines())
    return {path: Folder(kind, owner, mode.zfill(4)) for path, kind, owner, mode in found}


def _pools(output: str) -> Mapping[str, str]:
    """{pool: its state and status} from `zpool status -x`, which lists only pools with a problem."""
    wrong: dict[str, str] = {}
    for block in re.split(r"^ *pool: ", output, flags=re.MULTILINE)[1:]:
        state = re.search(r"^ *state: (\S+)", block, flags=re.MULTILINE)
        status = re.search(r"^status: (.*)$", block, flags=re.MULTILINE)
        wrong[block.split()[0]] = " ".join(found[1] for found in (state, status) if found)
    return wrong


def _server(output: str) -> Server:
    """From /proc/fs/nfsd/versions (`-3 +4 +4.1`) and /proc/fs/nfsd/threads, one line each; both are empty while the server is stopped."""
    lines = output.splitlines()
    if len(lines) < 2:
        return Server()
    return Server(tuple(int(word[1:]) for word in lines[0].split() if re.fullmatch(r"\+\d+", word)), int(lines[1]))


def _addresses(output: str) -> tuple[str, ...]:
    """The distinct addresses in /proc/fs/nfsd/clients/*/info."""
    return tuple(sorted(set(re.findall(r'^address: "\[?([0-9A-Fa-f.:]+?)\]?:\d+"$', output, flags=re.MULTILINE))))


def _unmanaged(output: str) -> tuple[tuple[str, Row], ...]:
    """(file, row) of every exports file but the suite's own, from `grep -n ''` over all of them."""
    texts: dict[str, str] = {}
    for line in output.splitlines():
        path, _, content = line.split(":", 2)
        texts[path] = texts.get(path, "") + f"{content}\n"
    return tuple((path, row) for path, content in texts.items() if path != EXPORTS for row in rows(content))


# grep(1) ends with 1 for an empty file.
READ_EXPORTS = """for file in /etc/exports /etc/exports.d/*.exports; do
  [ ! -e "$file" ] && [ ! -L "$file" ] || grep -Hn '' "$file" || [ $? = 1 ] || exit 1
done"""
# Only a path that does not exist is absent: a folder on a disk that fails, or on a server that is gone, is not.
READ_FOLDERS = """for path in {paths}; do
  found=$(LC_ALL=C stat -c '%n\t%F\t%u:%g\t%a' "$path" 2>&1) && echo "$found" || case $found in
    *': No such file or directory') ;; *) echo "$found" >&2; exit 1;;
  esac
done"""


def _of_server(name: str, command: str, parse: Callable[[str], T]) -> Fact[T]:
    """A fact of NFS servers only."""
    return Fact(name, command, parse, lambda site, host: command if site.hosts[host].nfs else "")


def _stat(site: Site, host: str) -> str:
    nfs = site.hosts[host].nfs
    paths = dict.fromkeys(path for export in (nfs.exports if nfs else ()) for path in (export, export.rpartition("/")[0] or "/"))
    return READ_FOLDERS.replace("{paths}", " ".join(paths)) if paths else ""


EXPORTS_FILE = text("exports_file", EXPORTS)
SETTINGS_FILE = text("nfs_settings", SETTINGS)
OTHER_EXPORTS = _of_server("other_exports", READ_EXPORTS, _unmanaged)
EXPORT_TABLE = _of_server("export_table", "! command -v exportfs >/dev/null || exportfs -s", served_rows)
SERVER = _of_server("nfs_server", "cat /proc/fs/nfsd/versions /proc/fs/nfsd/threads 2>/dev/null || true", _server)
SERVER_UNIT = unit_state("nfs_unit", UNIT, lambda site, host: site.hosts[host].nfs is not None)
# A v4 client does not report what it has mounted: the server knows only its clients, and the files that they have open.
CLIENTS = _of_server("nfs_clients", "cat /proc/fs/nfsd/clients/*/info 2>/dev/null || true", _addresses)
FILE_SYSTEMS = _of_server(
    "file_systems", "findmnt -J -b -l --real -o TARGET,SOURCE,FSTYPE,UUID,OPTIONS,SIZE,AVAIL 2>/dev/null || true", _file_systems
)
POOLS = _of_server("pools", "! command -v zpool >/dev/null || zpool status -x", _pools)
FOLDERS = Fact("export_folders", "stat of the exports' folders and their parents", _folders, _stat)


def client(network: IPv4Network) -> str:
    """A network as exports(5) writes it: one address without its prefix length."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
