"""The suite's shares of a TrueNAS, and the operations that create, change and remove them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from inventory.nfs_models import Squash
from inventory.site import Site
from tasks.core.model.operation import Call, Operation
from tasks.storage.nfs.impact import affected
from tasks.storage.truenas.facts import MARK, Share

NO_TIMER = "the API has no timer: if this run dies, the calls made so far stay, and the next run continues from there"


@dataclass(frozen=True)
class ShareState:
    """A share of the suite, without its number."""

    path: str
    clients: tuple[str, ...]
    read_only: bool
    squash: str
    enabled: bool = True


def call(method: str, *parameters: Any, job: bool = False) -> Call:
    """A call with its parameters as JSON."""
    return Call(method, json.dumps(parameters, sort_keys=True), job)


def operation(kind: str, name: str, do: Call, shown: str = "", undo: Call | None = None, *impact: str) -> Operation:
    """An operation of the API: no timer takes it back."""
    return Operation(f"{kind}/{name.removeprefix('/')}", do, shown, undo, impact=(NO_TIMER, *impact))


def share_operations(site: Site, there: tuple[Share, ...], want: tuple[ShareState, ...], clients: tuple[str, ...]) -> Iterator[Operation]:
    """The operations that create, change or delete the suite's shares until they are the wanted ones."""
    ours = {share.path: share for share in there if share.ours}
    for share in want:
        old = ours.pop(share.path, None)
        if old is None:
            undo = Call("sharing.nfs.delete", "[{id}]")
            yield operation("share", share.path, call("sharing.nfs.create", _data(share)), f"{_line(share)} is shared", undo)
        elif (before := state_of(old)) != share:
            undo = call("sharing.nfs.update", old.number, json.loads(old.settings))
            shown = f"{_line(before)} becomes {_line(share)}"
            yield operation("share", share.path, call("sharing.nfs.update", old.number, _data(share)), shown, undo)
    for old in ours.values():
        named = "".join(dict.fromkeys(affected(site, one, clients) for one in old.clients))
        impact = f"{old.path} is no longer served; the folder and its content stay{named}"
        undo = call("sharing.nfs.create", json.loads(old.settings))
        shown = f"{_line(state_of(old))} is no longer shared"
        yield operation("share", old.path, call("sharing.nfs.delete", old.number), shown, undo, impact)


def state_of(share: Share) -> ShareState:
    """A share without its number."""
    return ShareState(share.path, share.clients, share.read_only, share.squash, share.enabled)


def _line(share: ShareState) -> str:
    access = "ro" if share.read_only else "rw"
    return f"{share.path} to {' '.join(share.clients)} ({access}, {share.squash}{'' if share.enabled else ', off'})"


def _data(share: ShareState) -> dict[str, Any]:
    """A share as the API's parameters; no_root_squash maps root and its group to root."""
    networks = [client for client in share.clients if _is_network(client)]
    root, all_ = share.squash == Squash.NONE, share.squash == Squash.ALL
    return {
        "path": share.path,
        "comment": MARK,
        "networks": networks,
        "hosts": [client for client in share.clients if client not in networks],
        "ro": share.read_only,
        "maproot_user": "root" if root else None,
        "maproot_group": "root" if root else None,
        "mapall_user": "nobody" if all_ else None,
        "mapall_group": "nogroup" if all_ else None,
        "enabled": share.enabled,
    }


def _is_network(client: str) -> bool:
    try:
        IPv4Network(client)
    except ValueError:
        return False
    return True
