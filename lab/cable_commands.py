"""The commands that take HOST:PORT. They act on a cable or on the NIC at its end."""

from collections.abc import Callable
from pathlib import Path

import click

from lab import control
from lab.folders import Folders
from lab.netem import parse_delay, parse_loss, parse_time

End = tuple[str, str]


def end_of_cable(_context: click.Context, _parameter: click.Parameter, value: str) -> End:
    """HOST:PORT as a pair."""
    host, colon, port = value.partition(":")
    if not (host and colon and port):
        raise click.BadParameter(f"wanted HOST:PORT, as in sw-rack:swp1; got {value!r}")
    return host, port


END = click.argument("end", metavar="HOST:PORT", callback=end_of_cable)


def _ask(verb: str, end: End, **words: object) -> control.Answer:
    host, port = end
    return control.ask(Folders.of_user(), verb, host=host, port=port, **words)


@click.command()
@END
def cut(end: End) -> None:
    """Pull a cable: both ends lose their carrier."""
    click.echo(f"cut {' - '.join(_ask('cut', end)['ends'])}")


@click.command()
@END
def splice(end: End) -> None:
    """Plug a cable in again."""
    click.echo(f"spliced {' - '.join(_ask('splice', end)['ends'])}")


@click.command()
@END
def unplug(end: End) -> None:
    """Remove a NIC from a running machine: its network device disappears, whatever its name."""
    name = _ask("unplug", end)["name"]
    click.echo(f"unplugged {':'.join(end)}{f', which was {name} there' if name else ''}")


@click.command()
@END
def plug(end: End) -> None:
    """Put a NIC back: its network device appears with the same MAC address, and udev names it."""
    name = _ask("plug", end)["name"]
    click.echo(f"plugged {':'.join(end)}{f', which is {name} there' if name else '; the machine finds it at its next start'}")


def _parsed(parse: Callable[[str], float], value: str | None) -> float:
    try:
        return parse(value) if value else 0
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from problem


def _loss(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float:
    return _parsed(parse_loss, value)


def _delay(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float:
    return _parsed(parse_delay, value)


@click.command()
@END
@click.option("--loss", "loss_percent", metavar="SHARE", callback=_loss, help="Share of the frames to drop in each direction, as in 5%.")
@click.option("--delay", "delay_ms", metavar="TIME", callback=_delay, help="Delay of each frame in each direction, as in 20ms.")
def impair(end: End, loss_percent: float, delay_ms: float) -> None:
    """Drop and delay frames of a cable, in both directions. Without options, end that."""
    answer = _ask("impair", end, loss_percent=loss_percent, delay_ms=delay_ms)
    click.echo(f"{' - '.join(answer['ends'])}: {answer['what']}")


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    return _parsed(parse_time, value) / 1000 or None


@click.command()
@END
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--for", "for_s", metavar="TIME", callback=_seconds, help="Duration, as in 10s. The default is until Ctrl-C.")
def capture(end: End, file: Path, for_s: float | None) -> None:
    """Capture the frames at the end of a cable, in both directions, into a pcap file."""
    from lab.capture import capture as keep  # noqa: PLC0415

    keep(Folders.of_user(), *end, file, for_s)


COMMANDS = (cut, splice, unplug, plug, impair, capture)
