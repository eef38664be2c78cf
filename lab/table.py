"""Prints the status of a lab as a table."""

from typing import Any

from rich.console import Console
from rich.table import Table

from lab.netem import Impairment


def mebibytes(count: int) -> str:
    """A number of bytes as text, in MiB."""
    return f"{count / 2**20:.0f} MiB"


def show(status: dict[str, Any]) -> None:
    """Print the keeper's status."""
    table = Table("host", "state", "address", "SSH by", "memory", "uptime", box=None, pad_edge=False)
    for name, host in status["hosts"].items():
        table.add_row(
            name, host["state"], host["address"], " ".join(host["relays"]), mebibytes(host["pss_bytes"]), f"{host['uptime_s']:.0f} s"
        )
    console = Console()
    console.print(table)
    kernel = status["kernel"]
    total = sum(host["pss_bytes"] for host in status["hosts"].values())
    console.print(
        f"kernel {kernel['release']} of {kernel['suite']}, mode {kernel['mode']}; total memory {mebibytes(total)}", highlight=False
    )
    console.print(f"ssh -F {status['ssh_config']} HOST", soft_wrap=True, highlight=False)
    if status["cut"]:
        console.print(f"cables pulled: {', '.join(status['cut'])}", highlight=False)
    if status["unplugged"]:
        console.print(f"NICs unplugged: {', '.join(status['unplugged'])}", highlight=False)
    for cable, how in status["impaired"].items():
        console.print(f"cable impaired: {cable}: {Impairment(**how).text} in each direction", highlight=False)
