"""The interfaces of every host of the lab, read with plain Nornir: python docs/examples/read_everywhere.py."""

from collections.abc import Iterator

from nornir.core import Nornir

from tasks.core.interfaces_file import InterfacesFile
from tasks.core.link import step
from tasks.core.run import Run
from tasks.core.runbook import Options, open_run
from tasks.network.facts import INTERFACES


def interfaces(run: Run, nornir: Nornir) -> Iterator[str]:
    """A line a host; `step` is a Nornir task like your own."""
    for host, results in nornir.run(task=step, owner=run.owner, verb="read", facts=(INTERFACES,)).items():
        error = results[0].exception
        yield str(error) if error else f"{host}: {' '.join(InterfacesFile(results[0].result[INTERFACES]).ifaces())}"


if __name__ == "__main__":
    run = open_run(Options(site="lab"))
    for line in interfaces(run, run.nornir.filter(filter_func=lambda host: host["intent"].vm is None)):
        print(line)
