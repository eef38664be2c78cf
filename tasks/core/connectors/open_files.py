"""The limit of open files: a run keeps a connection to each of its hosts, and each connection is an open file."""

import resource

from tasks.core.model.errors import LinkError, Refused

# The connection's socket, and what is open while it is made: the SSH agent's socket, known_hosts.
PER_HOST = 3
# The program itself, its record, its event loop.
RESERVE = 64


def allow_connections(hosts: int) -> None:
    """Raise the soft limit of this process as needed. Raises Refused where the hard limit is too low for that many connections."""
    wanted = hosts * PER_HOST + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        raise Refused(
            f"connections to {hosts} hosts need {wanted} open files, and this process may open {most};"
            f" run `ulimit -Hn {wanted}` as root, or select fewer hosts with --limit"
        )


def too_many(host: str) -> LinkError:
    """The error of a host whose connection exceeds the limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LinkError(f"{host}: this process has reached its limit of {soft} open files; raise `ulimit -n`, or use --limit")
