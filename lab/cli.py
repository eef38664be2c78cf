"""The command line: `python -m lab`."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from inventory.errors import InventoryError
from lab import cable_commands, control
from lab.errors import LabError
from lab.folders import VARIABLE, Folders
from lab.settings import EXEC_S, KERNEL_SUITES

CHECKOUT = Path(__file__).parent.parent
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
# A shell adds this to the number of the signal that ended a command.
SIGNALLED = 128
INTERRUPTED = 130


def need_root() -> None:
    """Restart with sudo unless we are root."""
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "env", f"{VARIABLE}={Folders.of_user().root}", sys.executable, "-m", "lab", *sys.argv[1:]])  # noqa: S606


def timed_output() -> Callable[[str], None]:
    """A function that prints lines with the seconds since this call in front."""
    started = time.monotonic()
    return lambda line: click.echo(f"[{time.monotonic() - started:5.1f} s] {line}", err=True)


@click.group(help="The rehearsal lab: the site of the inventory on real kernels, on this machine.")
def main() -> None:
    """The group of all commands."""


for command in cable_commands.COMMANDS:
    main.add_command(command)


@main.command()
def doctor() -> None:
    """Report what the lab needs of this machine, what is missing, and how to install it."""
    from lab.doctor import report  # noqa: PLC0415

    sys.exit(0 if report(Folders.of_user()) else 1)


@main.command()
@click.argument("hosts", nargs=-1)
@click.option("--inventory", type=FOLDER, default=CHECKOUT / "inventory", help="The site to rehearse.")
@click.option("--kernel", "suite", type=click.Choice(KERNEL_SUITES), help="The kernel's Debian release, by default the newest that runs.")
def up(hosts: tuple[str, ...], inventory: Path, suite: str | None) -> None:
    """Boot the machines (all, or the named ones) and wait until they answer over SSH."""
    need_root()
    from lab import boot  # noqa: PLC0415
    from lab.table import show  # noqa: PLC0415

    folders = Folders.of_user()
    boot.up(folders, inventory.absolute(), hosts, suite, timed_output())
    show(control.ask(folders, "status"))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def status(*, as_json: bool) -> None:
    """Show the machines, their addresses and their memory."""
    answer = control.ask(Folders.of_user(), "status")
    if as_json:
        click.echo(json.dumps(answer, indent=1))
        return
    from lab.table import show  # noqa: PLC0415

    show(answer)


@main.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("host")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--wait", "wait_s", default=EXEC_S, show_default=True, help="Seconds that the command may take.")
@click.option("--stdin", "use_stdin", is_flag=True, help="Pass standard input to the command.")
def exec_(host: str, command: tuple[str, ...], wait_s: float, *, use_stdin: bool) -> None:
    """Run a command on a machine out of band, over its serial line."""
    stdin = sys.stdin.buffer.read().decode(errors="surrogateescape") if use_stdin else ""
    answer = control.ask(Folders.of_user(), "exec", host=host, argv=list(command), wait_s=wait_s, stdin=stdin)
    for stream, text in ((sys.stdout, answer["out"]), (sys.stderr, answer["err"])):
        stream.buffer.write(text.encode(errors="surrogateescape"))
        stream.flush()
    code = answer["rc"]
    sys.exit(code if code >= 0 else SIGNALLED - code)


@main.command()
@click.argument("host")
def console(host: str) -> None:
    """Open a shell on a machine, out of band, over its serial line. Ctrl-] closes it."""
    from lab.console import run_console  # noqa: PLC0415

    sys.exit(run_console(Folders.of_user(), host))


@main.command()
@click.argument("hosts", nargs=-1, required=True)
def kill(hosts: tuple[str, ...]) -> None:
    """Pull the plug of machines."""
    control.ask(Folders.of_user(), "kill", hosts=hosts)
    click.echo(f"off: {', '.join(hosts)}")


@main.command()
@click.argument("hosts", nargs=-1, required=True)
def start(hosts: tuple[str, ...]) -> None:
    """Switch machines on, with their current disks, and wait until they answer over SSH."""
    from lab import boot  # noqa: PLC0415

    boot.power("start", Folders.of_user(), hosts, timed_output())


@main.command()
@click.argument("hosts", nargs=-1)
def reset(hosts: tuple[str, ...]) -> None:
    """Reset machines (all, or the named ones) to a fresh install, and wait until they answer over SSH."""
    from lab import boot  # noqa: PLC0415

    boot.power("reset", Folders.of_user(), hosts, timed_output())


@main.command()
def down() -> None:
    """Stop the lab and remove its run folder."""
    need_root()
    from lab.launch import stop_keeper  # noqa: PLC0415

    stop_keeper(Folders.of_user())


def run() -> int:
    """Run the command line and return its exit code. An error is printed as one message."""
    try:
        main(prog_name="python -m lab", standalone_mode=False)
    except (LabError, InventoryError) as problem:
        click.echo(f"lab: {problem}", err=True)
        return 1
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("lab: interrupted; `python -m lab down` removes what was created", err=True)
        return INTERRUPTED
    return 0
