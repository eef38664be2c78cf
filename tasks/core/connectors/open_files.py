"""How many files this process may have open: each connection is one, and a run keeps a connection to each of its hosts."""

import resource

from tasks.core.model.errors import LinkError, Refused

# A connection's own socket, and what is open for a moment while it is made: an agent's socket, the known hosts.
PER_HOST = 3
# The program itself, its record, its event loop.
RESERVE = 64


def allow_connections(hosts: int) -> None:
    """Raise this process' own limit as far as it goes. Raises Refused where so many connections do not fit below it."""
    wanted = hosts * PER_HOST + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        raise Refused(
            f"connections to {hosts} hosts want {wanted} open files, and this process may have {most};"
            f" say `ulimit -Hn {wanted}` as root, or name fewer hosts with --limit"
        )


def too_many(host: str) -> LinkError:
    """The error of a host for whose connection no file was left to open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LinkError(f"{host}: this process has its {soft} files open, so none is left for a connection; raise `ulimit -n`, or use --limit")
