"""What new exports do to the clients of old ones.

A v4 client mounts without a word to the server: neither its rmtab nor its table of exports has it. What tells is who holds state there
(/proc/fs/nfsd/clients): whoever has an export mounted is among them, and whoever is among them may have this one.
"""

from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from inventory.site import Site
from tasks.storage.nfs.exports_file import rows

RESTART = "the NFS server restarts for its own settings: its clients wait until all of them have come back, 90 s at most"


def exports_impact(site: Site, old: str, new: str, clients: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each export of the old file that goes, and for each whose options change."""
    return tuple(_sentences(site, old, new, tuple(clients)))


def _sentences(site: Site, old: str, new: str, clients: tuple[str, ...]) -> Iterator[str]:
    after = {(row.path, row.client): row for row in rows(new)}
    for row in rows(old):
        kept = after.get((row.path, row.client))
        if kept is None:
            yield f"{row.path} is no longer served to {row.client}; the folder and what is in it stay{who(site, row.client, clients)}"
        elif kept.options != row.options:
            words = ", ".join(sorted(kept.options - row.options)), ", ".join(sorted(row.options - kept.options))
            stale = "; what clients have there is stale" if kept.option("fsid") != row.option("fsid") else ""
            yield f"{row.path} is served to {row.client} with {words[0] or 'nothing'} instead of {words[1] or 'nothing'}{stale}"


def who(site: Site, admitted: str, clients: Iterable[str]) -> str:
    """Those of the clients whom a network, an address or a name admits, as the end of a sentence."""
    names = {str(host.address.ip): name for name, host in site.hosts.items()}
    said = [f"{names[one]} ({one})" if one in names else one for one in clients if _admits(admitted, one)]
    return f"; {', '.join(said)} may have it mounted, and gets errors from then on" if said else ""


def _admits(client: str, address: str) -> bool:
    try:
        return IPv4Address(address) in IPv4Network(client)
    except (AddressValueError, ValueError):
        return True  # a name, or a client by IPv6: it may be
