"""The command line: `python -m lab`."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lab import control
from lab.errors import LabError
from lab.folders import VARIABLE, Folders
from lab.settings import EXEC_S

CHECKOUT = Path(__file__).parent.parent
SIGNALLED = 128


def need_root() -> None:
    """Go on as root: by sudo where we are not."""
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "env", f"{VARIABLE}={Folders.of_user().root}", sys.executable, "-m", "lab", *sys.argv[1:]])


def teller() -> Callable[[str], None]:
    """Says lines with the seconds since now before them."""
    started = time.monotonic()
    return lambda line: click.echo(f"[{time.monotonic() - started:5.1f} s] {line}", err=True)


class Port(click.ParamType):
    """HOST:PORT."""

    name = "HOST:PORT"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split it."""
        host, colon, port = value.partition(":")
        if not (host and colon and port):
            self.fail(f"wanted HOST:PORT, as in sw-rack:swp1; got {value!r}", param, ctx)
        return host, port


@click.group(help="The rehearsal lab: the site of the inventory on real kernels, on this machine.")
def main() -> None:
    """Show help."""


@main.command()
@click.argument("hosts", nargs=-1)
@click.option("--inventory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=CHECKOUT / "inventory", help="The site to rehearse.")
def up(hosts: tuple[str, ...], inventory: Path) -> None:
    """Boot the machines (all, or the named ones) and wait until they answer over SSH."""
    need_root()
    from lab import boot  # noqa: PLC0415

    folders = Folders.of_user()
    boot.up(folders, inventory.absolute(), hosts, teller())
    show(boot.status(folders))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(*, as_json: bool) -> None:
    """Say what runs, where it is reached and what it costs."""
    answer = control.ask(Folders.of_user(), "status")
    if as_json:
        click.echo(json.dumps(answer, indent=1))
    else:
        show(answer)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("host")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--wait", "wait_s", default=EXEC_S, show_default=True, help="Seconds that the command may take.")
def exec(host: str, command: tuple[str, ...], wait_s: float) -> None:  # noqa: A001
    """Run a command on a machine out of band, by its serial line."""
    answer = control.ask(Folders.of_user(), "exec", host=host, argv=list(command), wait_s=wait_s)
    for stream, text in ((sys.stdout, answer["out"]), (sys.stderr, answer["err"])):
        stream.buffer.write(text.encode(errors="surrogateescape"))
        stream.flush()
    code = answer["rc"]
    sys.exit(code if code >= 0 else SIGNALLED - code)


@main.command()
@click.argument("end", type=Port())
def cut(end: tuple[str, str]) -> None:
    """Pull a cable out: the carrier goes away at both ends."""
    click.echo(f"cut {' - '.join(control.ask(Folders.of_user(), 'cut', host=end[0], port=end[1])['ends'])}")


@main.command()
@click.argument("end", type=Port())
def splice(end: tuple[str, str]) -> None:
    """Plug a cable in again."""
    click.echo(f"spliced {' - '.join(control.ask(Folders.of_user(), 'splice', host=end[0], port=end[1])['ends'])}")


@main.command()
@click.argument("hosts", nargs=-1, required=True)
def kill(hosts: tuple[str, ...]) -> None:
    """Pull the plug of machines."""
    control.ask(Folders.of_user(), "kill", hosts=hosts)


@main.command()
@click.argument("hosts", nargs=-1, required=True)
def start(hosts: tuple[str, ...]) -> None:
    """Switch machines on, with the disks they had, and wait until they answer over SSH."""
    _boot("start", hosts)


@main.command()
@click.argument("hosts", nargs=-1)
def reset(hosts: tuple[str, ...]) -> None:
    """Put machines (all, or the named ones) back to a fresh install and wait until they answer over SSH."""
    _boot("reset", hosts)


def _boot(verb: str, hosts: tuple[str, ...]) -> None:
    import asyncio  # noqa: PLC0415

    from lab import boot  # noqa: PLC0415
    from lab.blueprint import Blueprint  # noqa: PLC0415

    folders, say = Folders.of_user(), teller()
    control.ask(folders, verb, hosts=hosts)
    blueprint = Blueprint.from_json(folders.blueprint.read_text())
    asyncio.run(boot.wait_for_ssh(folders, blueprint, hosts or blueprint.machines, say))


@main.command()
def down() -> None:
    """Stop everything and leave nothing behind."""
    need_root()
    from lab import boot  # noqa: PLC0415

    boot.down(Folders.of_user())


def show(answer: dict[str, Any]) -> None:
    """Print the status as a table."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("host", "state", "address", "SSH by", "memory", "uptime", box=None, pad_edge=False)
    for name, host in answer["hosts"].items():
        memory = f"{host['pss_bytes'] / 2**20:.0f} MiB"
        table.add_row(name, host["state"], host["address"], " ".join(host["relays"]), memory, f"{host['uptime_s']:.0f} s")
    console = Console()
    console.print(table)
    total = sum(host["pss_bytes"] for host in answer["hosts"].values())
    kernel = answer["kernel"]
    console.print(f"kernel {kernel['release']} ({kernel['suite']}, {'seccomp' if 'seccomp=on' in kernel['words'] else 'ptrace'}); memory {total / 2**20:.0f} MiB")
    console.print(f"ssh -F {answer['ssh_config']} HOST", soft_wrap=True)
    if answer["cut"]:
        console.print(f"cables pulled: {', '.join(answer['cut'])}")


def run() -> None:
    """Run the command line; what goes wrong is one message."""
    try:
        main(prog_name="python -m lab")
    except LabError as problem:
        click.echo(f"lab: {problem}", err=True)
        sys.exit(1)
