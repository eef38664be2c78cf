"""What a host would answer after a plan was applied to it, computed only from the steps that it received. For circular tests."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cases import with_clusters
from replay_commands import commanded
from truenas_device import of_readings

from inventory.site import Site
from inventory.targets import HOST, kind_of
from tasks.core.model.change import Change
from tasks.core.model.fact import Facts, HostFacts, Reading, text
from tasks.core.model.operation import Action, Call, Command, TimedTransaction, Unit
from tasks.core.model.plan import TargetPlan
from tasks.network.thunderbolt.change import LOAD
from tasks.storage.nfs.exports_file import EXPORTS, rows

# Facts that every endpoint of a cluster answers alike.
SHARED = ("ceph", "ceph_conf", "storages")
# Units with their own fact.
UNIT_FACTS = {"frr.service": "frr_unit", "nfs-server.service": "nfs_unit"}


def after(plan: TargetPlan, facts: Facts, change: Change[Any], site: Site) -> Facts:
    """The facts after the plan's files, live values, packages and units."""
    readings = dict(facts[plan.host].readings)
    if plan.procedure:
        readings |= _performed(readings, plan, change, facts, site)
        return _shared(plan, readings, facts, site)
    assert plan.transaction is not None
    for file in plan.transaction.files:
        _answer(readings, change, text("", file.path).command, file.text or "")
    for name, value in plan.transaction.sysctls.items():
        if "kernel_values" in readings:
            readings["kernel_values"] = Reading(0, _with_value(readings["kernel_values"].out, name, value))
            continue
        _answer(readings, change, f"cat /proc/sys/{name.replace('.', '/')}", f"{value}\n")
    for name in plan.packages:
        readings["packages"] = Reading(0, readings["packages"].out.replace(f"{name}\tconfig-files\n", "") + f"{name}\tinstalled\n")
    readings |= _acted(readings, plan.transaction)
    for unit in plan.transaction.units:
        if fact := UNIT_FACTS.get(unit.name):
            readings[fact] = Reading(0, "".join(f"{key}={value}\n" for key, value in _unit_state(unit).items()))
            continue
        readings["units"] = Reading(0, _with_unit(readings["units"].out, unit))
    if "export_table" in readings:
        readings["export_folders"] = Reading(0, _with_folders(readings["export_folders"].out, plan.transaction.actions))
        if _serves(plan.transaction):
            readings["export_table"] = Reading(0, _served(readings["exports_file"].out) + _of_others(readings))
    return _shared(plan, readings, facts, site)


def _shared(plan: TargetPlan, readings: Mapping[str, Reading], facts: Facts, site: Site) -> Facts:
    """The facts of all targets: those that every endpoint of a cluster answers alike are the same on each."""
    hosts = {host: answers for host, answers in facts.items() if kind_of(host) == HOST}
    shared = {name: answer for name, answer in readings.items() if name in SHARED and answer != facts[plan.host].readings[name]}
    hosts = {host: HostFacts(host, {**answers.readings, **shared}) for host, answers in hosts.items()}
    return with_clusters(site, {**hosts, plan.host: HostFacts(plan.host, readings)})


def _run(transaction: TimedTransaction) -> set[str]:
    """The names of the scripts that the transaction runs."""
    return {action.argv[3] for action in transaction.actions if action.argv[:2] == ("/bin/sh", "-c")}


def _acted(readings: Mapping[str, Reading], transaction: TimedTransaction) -> dict[str, Reading]:
    """The effect of udev and modprobe on the readings, where the transaction calls them."""
    found: dict[str, Reading] = {}
    if "udev names" in _run(transaction):
        found["devices"] = Reading(0, _named_by_udev(readings))
    if LOAD in transaction.actions:
        found["thunderbolt_loaded"] = Reading(0, LOAD.argv[2].split(" && ")[1].removeprefix("modprobe -a ").replace(" ", "\n"))
    return found


def _serves(transaction: TimedTransaction) -> bool:
    """Whether the exports file becomes live: by exportfs, or because the server starts."""
    return "exportfs -ra" in _run(transaction) or any(unit.name == "nfs-server.service" and unit.active for unit in transaction.units)


def _answer(readings: dict[str, Reading], change: Change[Any], command: str, out: str) -> None:
    """Stores an output under the change's fact that has this command: the change reads back what it wrote."""
    (fact,) = (fact for fact in change.needs if fact.command == command)
    readings[fact.name] = Reading(0, out)


def _with_unit(text: str, unit: Unit) -> str:
    blocks = [block for block in text.strip().split("\n\n") if f"Id={unit.name}" not in block.splitlines()]
    return "\n\n".join([*blocks, "\n".join(f"{key}={value}" for key, value in _unit_state(unit).items())]) + "\n"


def _unit_state(unit: Unit) -> dict[str, str]:
    return {
        "Id": unit.name,
        "ActiveState": "active" if unit.active else "inactive",
        "UnitFileState": "enabled" if unit.enabled else "disabled",
    }


def _with_value(text: str, name: str, value: str) -> str:
    return re.sub(rf"^(/proc/sys/{re.escape(name)}:).*$", rf"\g<1>{value}", text, flags=re.MULTILINE)


def _named_by_udev(readings: Mapping[str, Reading]) -> str:
    """The devices with the names from the .link files, as udev renames them when they appear."""
    text = readings["devices"].out
    for fact, reading in readings.items():
        fields = dict(line.split("=", 1) for line in reading.out.splitlines() if "=" in line)
        index = re.search(rf"/n(\d+):E:ID_PATH={re.escape(fields.get('Path', '-'))}$", text, flags=re.MULTILINE)
        if fact.startswith("link_file_") and index:
            text = re.sub(
                rf"^/sys/class/net/[^/]+(/ifindex:{index[1]})$", rf"/sys/class/net/{fields['Name']}\g<1>", text, flags=re.MULTILINE
            )
    return text


def _performed(readings: Mapping[str, Reading], plan: TargetPlan, change: Change[Any], facts: Facts, site: Site) -> dict[str, Reading]:
    """The answers after the plan's operations: of a host, or of a device with an API."""
    if commands := [one.do for one in plan.operations if isinstance(one.do, Command)]:
        return commanded(readings, commands, plan.host, facts, site)
    device = of_readings({name: reading.out for name, reading in readings.items()})
    for call in (one.do for one in plan.operations if isinstance(one.do, Call)):
        device.answer(call.method, json.loads(call.parameters))
    return {fact.name: Reading(0, device.facts(fact.on(site, plan.host).command)) for fact in change.needs}


def _with_folders(text: str, actions: Iterable[Action]) -> str:
    """The output of stat after the actions that create folders or set their owner and mode: the last words are path, owner, mode."""
    lines = {line.split("\t")[0]: line for line in text.splitlines()}
    for argv in (action.argv for action in actions):
        if argv[3].startswith(("make ", "owner and mode of ")):
            path, owner, mode = argv[4:]
            lines[path] = f"{path}\tdirectory\t{owner}\t{mode.lstrip('0')}"
    return "".join(f"{line}\n" for line in lines.values())


def _served(text: str) -> str:
    """The output of `exportfs -s` for a file: one line a client, with the defaults of exports(5)."""
    return "".join(f"{row.path}  {row.client}(wdelay,hide,sec=sys,{','.join(sorted(row.options))})\n" for row in rows(text))


def _of_others(readings: Mapping[str, Reading]) -> str:
    """The lines of the export table that come from other files."""
    others = "\n".join(line for line in readings["other_exports"].out.splitlines() if not line.startswith(EXPORTS))
    return "".join(f"{line}\n" for line in readings["export_table"].out.splitlines() if f":{line.split()[0]} " in others)


def without_token(plan: TargetPlan) -> Mapping[str, Any]:
    """A plan as comparable data, without its tokens, which are random."""
    return {**vars(plan), "work": plan.work and replace(plan.work, token="")}
