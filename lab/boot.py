"""Brings a lab up: from an inventory to machines that answer over SSH."""

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
from lab.kernel import mode_words
from lab.keys import write_ssh
from lab.launch import start_keeper, stop_keeper
from lab.reach import wait_for_ssh
from lab.seed import write_seed
from lab.settings import KERNEL_WORDS

Say = Callable[[str], None]


def up(folders: Folders, inventory: Path, hosts: Iterable[str], suite: str | None, say: Say) -> None:
    """Boot machines, all or those named, and wait until each answers over SSH; what runs already stays as it is."""
    site = load(inventory)
    blueprint = draw(site)
    chosen = list(hosts) or list(blueprint.machines)
    if unknown := [name for name in chosen if name not in blueprint.machines]:
        raise LabError(f"no machine {', '.join(unknown)} in {inventory}; there are {', '.join(blueprint.machines)}")
    with folders.locked(lambda: say("another `up` is at work, waiting for it")):
        if control.runs(folders):
            _same_site(folders, blueprint, inventory)
        else:
            _lay_out(folders, site, blueprint, suite, say)
    power("start", folders, chosen, say)


def power(verb: str, folders: Folders, hosts: Iterable[str], say: Say) -> None:
    """Start or reset machines, all or those named, and wait until each answers over SSH."""
    blueprint = Blueprint.from_json(folders.blueprint.read_text()) if control.runs(folders) else None
    started = control.ask(folders, verb, hosts=list(hosts))["started"]
    say(f"switched on: {', '.join(started) or 'nothing, all run'}")
    assert blueprint
    asyncio.run(wait_for_ssh(folders, blueprint, list(hosts) or blueprint.machines, say))


def _same_site(folders: Folders, blueprint: Blueprint, inventory: Path) -> None:
    if folders.blueprint.read_text() != blueprint.to_json():
        raise LabError(f"the lab that runs was built from another inventory than {inventory} is now: `python -m lab down` first")


def _lay_out(folders: Folders, site: Site, blueprint: Blueprint, suite: str | None, say: Say) -> None:
    needs.install_missing(say)
    base, kernel, mode = image.ensure(folders, suite, say)
    stop_keeper(folders)
    folders.run.mkdir(parents=True)
    write_ssh(folders, blueprint.machines.values())
    for machine in blueprint.machines.values():
        write_seed(folders, site, machine)
        arrays.make(folders.machine(machine.name), machine)
    words = [*KERNEL_WORDS, *mode_words(mode)]
    said = {"release": kernel.release, "version": kernel.version, "suite": kernel.suite, "mode": mode, "words": words}
    (folders.run / "kernel.json").write_text(json.dumps(said))
    folders.blueprint.write_text(blueprint.to_json())
    start_keeper(folders, base.folder)
