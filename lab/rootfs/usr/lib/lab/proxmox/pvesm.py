"""The replacement for pvesm(1)."""

import shutil
import sys
from pathlib import Path

from . import options, storage_cfg
from .options import Command, Option, PveError, Values
from .rados_link import Monitors
from .storage_cfg import Storage

KINDS = ("rbd", "nfs")
FIELDS = {
    "rbd": ("pool", "monhost", "username", "namespace", "krbd", "content", "nodes", "disable"),
    "nfs": ("server", "export", "path", "options", "content", "nodes", "disable", "prune-backups"),
}
OPTIONS = tuple(
    Option(name, "boolean" if name in ("krbd", "disable") else "string") for name in dict.fromkeys((*FIELDS["rbd"], *FIELDS["nfs"]))
)


def add(values: Values) -> None:
    """Add a storage to the cluster."""
    kind, name = values["type"], values["storage"]
    if kind not in KINDS:
        raise PveError(f"400 Parameter verification failed.\ntype: the lab does not have storages of type '{kind}'")
    fields = {key: value for key, value in values.items() if key not in ("type", "storage")}
    if strange := [key for key in fields if key not in FIELDS[kind]]:
        raise PveError(f"create storage failed: unexpected property '{strange[0]}'")
    if missing := [key for key in ("server", "export") if kind == "nfs" and key not in fields]:
        errors = "\n".join(f"{key}: property is missing and it is not optional" for key in missing)
        raise PveError(f"400 Parameter verification failed.\n{errors}")
    if kind == "nfs":
        fields.setdefault("path", f"/mnt/pve/{name}")
    fields.setdefault("content", "images,rootdir" if kind == "rbd" else "images")
    fields["content"] = ",".join(sorted(fields["content"].split(",")))
    if kind == "rbd":
        fields.setdefault("pool", "rbd")
    if fields.get("disable") == "1":
        fields["disable"] = ""
    storage_cfg.add(kind, name, fields)


def remove(values: Values) -> None:
    """Remove a storage from the configuration. Its content stays."""
    storage_cfg.remove(values["storage"])


def status(_: Values) -> None:
    """Print a line for each storage, with its total, used and free space in KiB."""
    storages = storage_cfg.read()
    width = max((len(name) for name in storages), default=0) + 1
    head = (f"{title:>{size}}" for title, size in (("Type", 10), ("Status", 10), ("Total (KiB)", 15), ("Used (KiB)", 15)))
    print(f"{'Name':<{width}} {' '.join(head)} {'Available (KiB)':>15} {'%':>8}")
    for name in sorted(storages):
        print(_line(storages[name], width))


def _line(storage: Storage, width: int) -> str:
    if "disable" in storage.fields:
        return f"{storage.name:<{width}} {storage.kind:>10} {'disabled':>10} {0:>15} {0:>15} {0:>15} {'N/A':>8}"
    try:
        storage_cfg.activate(storage)
        total, used, free = _rbd_space(storage) if storage.kind == "rbd" else _folder_space(storage)
        state = "active"
    except (PveError, OSError) as problem:
        print(problem, file=sys.stderr)
        total, used, free, state = 0, 0, 0, "inactive"
    share = used * 100 / total if total else 0
    return (
        f"{storage.name:<{width}} {storage.kind:>10} {state:>10} {total // 1024:>15} {used // 1024:>15} {free // 1024:>15} {share:>7.2f}%"
    )


def _rbd_space(storage: Storage) -> tuple[int, int, int]:
    stats = {pool["name"]: pool["stats"] for pool in Monitors().data("df", detail="detail")["pools"]}
    if storage.fields["pool"] not in stats:
        raise PveError(f"could not get usage stats for pool '{storage.fields['pool']}'")
    found = stats[storage.fields["pool"]]
    return found["stored"] + found["max_avail"], found["stored"], found["max_avail"]


def _folder_space(storage: Storage) -> tuple[int, int, int]:
    folder = Path(storage.fields["path"])
    if storage.kind == "dir":
        folder.mkdir(parents=True, exist_ok=True)
    room = shutil.disk_usage(folder)
    return room.total, room.used, room.free


COMMANDS = {
    "add": Command(add, ("type", storage_cfg.ID), OPTIONS),
    "remove": Command(remove, ("storage",)),
    "status": Command(status),
}


def main(argv: list[str]) -> int:
    """Run the command, and return its exit code."""
    return options.main("pvesm", COMMANDS, argv)
