"""Boots a lab from an inventory, until its machines answer over SSH."""

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from inventory.load import load
from inventory.site import Site
from lab import arrays, control, image, needs
from lab.blueprint import Blueprint, draw
from lab.errors import LabError
from lab.folders import Folders
from lab.kernel import mode_parameters
from lab.keys import write_ssh
from lab.launch import start_keeper, stop_keeper
from lab.reach import wait_for_ssh
from lab.seed import write_seed
from lab.settings import KERNEL_PARAMETERS

Report = Callable[[str], None]


def up(folders: Folders, inventory: Path, hosts: Iterable[str], suite: str | None, report: Report) -> None:
    """Boot the named machines, or all, and wait until each answers over SSH. Running machines keep running."""
    site = load(inventory)
    blueprint = draw(site)
    chosen = list(hosts) or list(blueprint.machines)
    if unknown := [name for name in chosen if name not in blueprint.machines]:
        raise LabError(f"no machine {', '.join(unknown)} in {inventory}; there are {', '.join(blueprint.machines)}")
    with folders.locked(lambda: report("waiting for another `up`")):
        if control.runs(folders):
            _same_site(folders, blueprint, inventory)
        else:
            _create(folders, site, blueprint, suite, report)
    power("start", folders, chosen, report)


def power(verb: str, folders: Folders, hosts: Iterable[str], report: Report) -> None:
    """Start or reset the named machines, or all, and wait until each answers over SSH."""
    blueprint = Blueprint.from_json(folders.blueprint.read_text()) if control.runs(folders) else None
    started = control.ask(folders, verb, hosts=list(hosts))["started"]
    report(f"switched on: {', '.join(started) or 'none, all of them run'}")
    assert blueprint
    asyncio.run(wait_for_ssh(folders, blueprint, list(hosts) or blueprint.machines, report))


def _same_site(folders: Folders, blueprint: Blueprint, inventory: Path) -> None:
    if folders.blueprint.read_text() != blueprint.to_json():
        raise LabError(f"the running lab was built from an inventory that differs from {inventory}: run `python -m lab down` first")


def _create(folders: Folders, site: Site, blueprint: Blueprint, suite: str | None, report: Report) -> None:
    needs.install_missing(report)
    base, kernel, mode = image.ensure(folders, suite, report)
    stop_keeper(folders)
    folders.run.mkdir(parents=True)
    write_ssh(folders, blueprint.machines.values())
    for machine in blueprint.machines.values():
        write_seed(folders, site, machine)
        arrays.make(folders.machine(machine.name), machine)
    parameters = [*KERNEL_PARAMETERS, *mode_parameters(mode)]
    description = {"release": kernel.release, "version": kernel.version, "suite": kernel.suite, "mode": mode, "words": parameters}
    (folders.run / "kernel.json").write_text(json.dumps(description))
    folders.blueprint.write_text(blueprint.to_json())
    start_keeper(folders, base.folder)
