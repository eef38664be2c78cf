"""How a change of exports affects the clients of the old ones.

A v4 client does not announce a mount: neither the server's rmtab nor its export table lists it. The list of clients that hold state on the
server (/proc/fs/nfsd/clients) has every client with a mounted export, so each client on it may have this export mounted.
"""

from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from inventory.site import Site
from tasks.storage.nfs.exports_file import rows

RESTART = "the NFS server restarts for its own settings: its clients wait until all of them have reconnected, 90 s at most"


def exports_impact(site: Site, old: str, new: str, clients: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each export of the old file that is removed, and for each whose options change."""
    return tuple(_sentences(site, old, new, tuple(clients)))


def _sentences(site: Site, old: str, new: str, clients: tuple[str, ...]) -> Iterator[str]:
    after = {(row.path, row.client): row for row in rows(new)}
    for row in rows(old):
        kept = after.get((row.path, row.client))
        if kept is None:
            yield f"{row.path} is no longer served to {row.client}; the folder and its content stay{affected(site, row.client, clients)}"
        elif kept.options != row.options:
            words = ", ".join(sorted(kept.options - row.options)), ", ".join(sorted(row.options - kept.options))
            stale = "; the clients' file handles become stale" if kept.option("fsid") != row.option("fsid") else ""
            yield f"{row.path} is served to {row.client} with {words[0] or 'nothing'} instead of {words[1] or 'nothing'}{stale}"


def affected(site: Site, admitted: str, clients: Iterable[str]) -> str:
    """The clients that a network, an address or a name admits, as the end of a sentence."""
    names = {str(host.address.ip): name for name, host in site.hosts.items()}
    found = [f"{names[one]} ({one})" if one in names else one for one in clients if _admits(admitted, one)]
    return f"; {', '.join(found)} may have it mounted, and would then get errors" if found else ""


def _admits(client: str, address: str) -> bool:
    try:
        return IPv4Address(address) in IPv4Network(client)
    except (AddressValueError, ValueError):
        return True  # a name, or an IPv6 client: it may be admitted
