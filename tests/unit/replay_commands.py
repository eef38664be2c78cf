"""What a host would answer after a plan's commands: the effects of pvecm, pveceph and pvesm that the facts of the changes show."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inventory.site import Site
from tasks.core.model.fact import Facts, Reading
from tasks.core.model.operation import Command
from tasks.storage.ceph.host_facts import PROGRAMS
from tasks.storage.ceph.network_checks import ANNOUNCED
from tasks.storage.ceph.packages import INSTALL

Texts = dict[str, str]


def commanded(readings: Mapping[str, Reading], commands: Iterable[Command], host: str, facts: Facts, site: Site) -> dict[str, Reading]:
    """The readings after each command."""
    texts = {name: reading.out for name, reading in readings.items()}
    for command in commands:
        name = next(one for one in COMMANDS if command.argv[: len(one.split())] == tuple(one.split()))
        arguments = [word for word in command.argv[len(name.split()) :] if not word.startswith("--")]
        COMMANDS[name](texts, host, arguments, _options(command.argv), facts, site)
    return {name: Reading(0, text) for name, text in texts.items()}


def _options(argv: tuple[str, ...]) -> dict[str, str]:
    return {word.removeprefix("--"): argv[number + 1] for number, word in enumerate(argv) if word.startswith("--")}


def _node(name: str, number: int, options: Mapping[str, str]) -> str:
    links = "".join(f"    ring{one}_addr: {options[f'link{one}'].split(',')[0]}\n" for one in range(2) if f"link{one}" in options)
    return f"  node {{\n    name: {name}\n    nodeid: {number}\n    quorum_votes: 1\n{links}  }}\n"


def _create_cluster(texts: Texts, host: str, names: list[str], options: Mapping[str, str], *_: Any) -> None:
    texts["corosync"] = f"nodelist {{\n{_node(host, 1, options)}}}\n\ntotem {{\n  cluster_name: {names[0]}\n}}\n"


def _join_cluster(texts: Texts, host: str, names: list[str], options: Mapping[str, str], facts: Facts, site: Site) -> None:
    (member,) = (name for name, row in site.hosts.items() if str(row.address.ip) == names[0])
    text = re.sub(rf"  node {{\n    name: {host}\n(?:    .*\n)*  }}\n", "", facts[member].readings["corosync"].out)
    texts["corosync"] = text.replace("nodelist {\n", "nodelist {\n" + _node(host, 1 + text.count("node {"), options))


def _init(texts: Texts, _: str, __: list[str], options: Mapping[str, str], *___: Any) -> None:
    rows = {f"auth_{one}_required": "cephx" for one in ("client", "cluster", "service")}
    rows |= {"cluster_network": options["network"], "fsid": "made", "public_network": options["network"]}
    texts["ceph_conf"] = "[global]\n" + "".join(f"\t{key} = {value}\n" for key, value in rows.items())


# The facts of the changes show no addresses.
NOWHERE = {"addrvec": list[object]()}


def _install_ceph(texts: Texts, _: str, arguments: list[str], *__: Any) -> None:
    assert INSTALL in arguments
    texts["ceph_programs"] = "".join(f"{one}\n" for one in PROGRAMS)


def _of_ceph(texts: Texts, act: Callable[[dict[str, Any]], None]) -> None:
    ceph = json.loads(texts["ceph"])
    act(ceph)
    texts["ceph"] = json.dumps(ceph)


def _create_monitor(texts: Texts, host: str, *_: Any) -> None:
    def act(ceph: dict[str, Any]) -> None:
        ceph.setdefault("mon dump", {}).setdefault("mons", []).append({"name": host, "public_addrs": NOWHERE})
        ceph.setdefault("status", {}).setdefault("quorum_names", []).append(host)

    _of_ceph(texts, act)


def _create_manager(texts: Texts, host: str, *_: Any) -> None:
    def act(ceph: dict[str, Any]) -> None:
        managers = ceph["mgr dump"]
        if managers.get("active_name"):
            managers["standbys"].append({"name": host})
        else:
            managers["active_name"] = host

    _of_ceph(texts, act)


def _start_unit(texts: Texts, host: str, names: list[str], *_: Any) -> None:
    assert names == [f"ceph-mgr@{host}.service"]
    _create_manager(texts, host)


def _create_osd(texts: Texts, host: str, names: list[str], *_: Any) -> None:
    (line,) = (line for line in texts["osd_disks"].splitlines() if line.startswith(f"{names[0].rpartition('/')[2]}\t"))

    def act(ceph: dict[str, Any]) -> None:
        number = len(ceph["osd dump"]["osds"])
        ceph["osd dump"]["osds"].append({"osd": number, "up": 1, "in": 1, "state": ["exists", "up"], **dict.fromkeys(ANNOUNCED, NOWHERE)})
        ceph["osd metadata"].append({"id": number, "hostname": host, "devices": line.split("\t")[1].removeprefix("/dev/")})
        ceph["osd tree"]["nodes"].append({"id": -number - 9, "type": "host", "name": host, "children": [number]})

    _of_ceph(texts, act)


def _create_pool(texts: Texts, _: str, names: list[str], options: Mapping[str, str], *__: Any) -> None:
    _of_ceph(
        texts, lambda ceph: ceph["osd dump"]["pools"].append({"pool_name": names[0], "crush_rule": 0, "pg_num": 32, **_as_dumped(options)})
    )


def _set_pool(texts: Texts, _: str, names: list[str], options: Mapping[str, str], *__: Any) -> None:
    def act(ceph: dict[str, Any]) -> None:
        (pool,) = (one for one in ceph["osd dump"]["pools"] if one["pool_name"] == names[0])
        pool |= _as_dumped(options)

    _of_ceph(texts, act)


def _set_flags(texts: Texts, _: str, words: list[str], *__: Any) -> None:
    """`10 osd set noout`: the first word is the time limit."""
    *_, verb, name = words
    flags = {"pauserd", "pausewr"} if name == "pause" else {name}

    def act(ceph: dict[str, Any]) -> None:
        found = set(ceph["osd dump"]["flags_set"])
        ceph["osd dump"]["flags_set"] = sorted(found | flags if verb == "set" else found - flags)

    _of_ceph(texts, act)


def _as_dumped(options: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {key: int(options[key]) for key in ("size", "min_size") if key in options}
    found |= {"pg_autoscale_mode": options["pg_autoscale_mode"]} if "pg_autoscale_mode" in options else {}
    return found | ({"application_metadata": {options["application"]: {}}} if "application" in options else {})


def _add_storage(texts: Texts, _: str, names: list[str], options: Mapping[str, str], *__: Any) -> None:
    texts["storages"] += f"\n{names[0]}: {names[1]}\n" + "".join(f"\t{key} {value}\n" for key, value in options.items())


COMMANDS = {
    "pvecm create": _create_cluster,
    "pvecm add": _join_cluster,
    "/bin/sh -c": _install_ceph,
    "pveceph init": _init,
    "pveceph mon create": _create_monitor,
    "pveceph mgr create": _create_manager,
    "systemctl start": _start_unit,
    "pveceph osd create": _create_osd,
    "pveceph pool create": _create_pool,
    "pveceph pool set": _set_pool,
    "pvesm add": _add_storage,
    "ceph": _set_flags,
}
