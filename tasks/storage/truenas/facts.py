"""The facts of a TrueNAS, from its API (25.10)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.site import Site
from tasks.core.model.fact import CALL, Fact, T
from tasks.storage.nfs.facts import Folder

# The comment of the suite's shares. Shares with another comment are unmanaged.
MARK = "Burrow"
# The settings of a share. The device sets `id` and `locked` itself.
FIELDS = (
    "path",
    "comment",
    "networks",
    "hosts",
    "ro",
    "maproot_user",
    "maproot_group",
    "mapall_user",
    "mapall_group",
    "security",
    "enabled",
)
ROOTS = (("root", "root"), ("root", "wheel"))


@dataclass(frozen=True)
class Share:
    """A share: clients as networks, squash as an option of exports(5)."""

    number: int
    path: str
    clients: tuple[str, ...]
    read_only: bool
    squash: str
    enabled: bool
    ours: bool
    settings: str
    """FIELDS as JSON, with which the API creates the share again."""


@dataclass(frozen=True)
class Service:
    """The NFS service: its configured versions and threads, whether it runs, and whether it starts at boot."""

    versions: tuple[int, ...]
    threads: int
    running: bool
    enabled: bool


@dataclass(frozen=True)
class Pool:
    """A pool: its mount point, the state of its disks, its free space in percent."""

    path: str
    status: str
    healthy: bool
    free_percent: int


def _results(output: str) -> list[Any]:
    """The results of a fact's calls. Raises ValueError with the API's reason where it refused one."""
    answers = json.loads(output)
    for answer in answers:
        if "error" in answer:
            raise ValueError(answer["error"])
    return [answer["result"] for answer in answers]


def _shares(output: str) -> tuple[Share, ...]:
    (rows,) = _results(output)
    return tuple(_share(row) for row in rows)


def _share(row: Mapping[str, Any]) -> Share:
    clients = (*row["networks"], *(f"{host}/32" if re.fullmatch(r"[\d.]+", host) else host for host in row["hosts"]))
    settings = json.dumps({key: row[key] for key in FIELDS})
    return Share(row["id"], row["path"], tuple(sorted(clients)), row["ro"], _squash(row), row["enabled"], row["comment"] == MARK, settings)


def _squash(row: Mapping[str, Any]) -> str:
    """The squash of a share. Root stays root only with its group: a TrueNAS maps one without the other to an anonymous user."""
    if row["mapall_user"]:
        return "all_squash"
    root = (row["maproot_user"], row["maproot_group"])
    return "root_squash" if root == (None, None) else "no_root_squash" if root in ROOTS else f"root as {root[0]}"


def _service(output: str) -> Service:
    config, ((service),) = _results(output)
    versions = tuple(sorted(int(name[-1]) for name in config["protocols"]))
    return Service(versions, config["servers"] or 0, service["state"] == "RUNNING", service["enable"])


def _pools(output: str) -> Mapping[str, Pool]:
    (rows,) = _results(output)
    return {row["path"]: Pool(row["path"], row["status"], row["healthy"], _percent(row["free"], row["size"])) for row in rows}


def _percent(free: int | None, size: int | None) -> int:
    return 100 * (free or 0) // size if size else 0


def _folders(output: str) -> Mapping[str, Folder]:
    """{path: folder} from `filesystem.stat`, which refuses paths that do not exist. Raises ValueError for any other refusal."""
    answers = json.loads(output)
    if wrong := [answer["error"] for answer in answers if "error" in answer and "[ENOENT]" not in answer["error"]]:
        raise ValueError(wrong[0])
    return {answer["result"]["realpath"]: _folder(answer["result"]) for answer in answers if "result" in answer}


def _folder(row: Mapping[str, Any]) -> Folder:
    kind = "folder with an ACL" if row["acl"] else row["type"].lower()
    return Folder(kind, f"{row['uid']}:{row['gid']}", f"{row['mode'] & 0o7777:04o}")


def _clients(output: str) -> tuple[str, ...]:
    """The addresses of the clients. One that has just gone has no `info` (middleware, nfs_/status.py)."""
    (rows,) = _results(output)
    found = (row["info"].get("address", "") for row in rows)
    return tuple(sorted({address.rpartition(":")[0].strip("[]") for address in found if address}))


def _fact(name: str, parse: Callable[[str], T], *calls: str) -> Fact[T]:
    return Fact(name, "\n".join(f"{CALL}{call}" for call in calls), parse)


def _stat(site: Site, host: str) -> str:
    nfs = site.hosts[host].nfs
    paths = dict.fromkeys(path for export in (nfs.exports if nfs else ()) for path in (export, export.rpartition("/")[0]))
    return "\n".join(f'{CALL}filesystem.stat ["{path}"]' for path in paths)


SHARES = _fact("truenas_shares", _shares, "sharing.nfs.query []")
SERVICE = _fact("truenas_nfs", _service, "nfs.config []", 'service.query [[["service", "=", "nfs"]]]')
POOLS = _fact("truenas_pools", _pools, "pool.query []")
# Without `states`, of which a client has one for each open file.
CLIENTS = _fact("truenas_clients", _clients, 'nfs.get_nfs4_clients [[], {"select": ["id", "info"]}]')
FOLDERS: Fact[Mapping[str, Folder]] = Fact("truenas_folders", "filesystem.stat of the exports' folders and their parents", _folders, _stat)
