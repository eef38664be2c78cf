"""Why the two ends of a routed cable do not become neighbours, as far as the facts show; and which host has which router id."""

from collections.abc import Iterator

from inventory.site import Cable, Site
from tasks.core.model.fact import Facts
from tasks.network.ospf.facts import FRR, Frr, OspfPort
from tasks.network.ospf.parameters import KEY
from tasks.platforms.frr.frr_file import FrrFile

Authentication = tuple[str | None, str | None, tuple[str, ...]]


def frr_of(facts: Facts, host: str) -> Frr | None:
    """The FRR fact of a host, None if it was not read because the host is down or outside the run."""
    return facts[host][FRR] if host in facts and FRR.name in facts[host].readings else None


def called(site: Site, router_id: str) -> str:
    """The name of the host with that router id, else the id itself."""
    return site.routers.get(router_id, router_id)


def authentication(frr: Frr, port: str) -> Authentication:
    """The authentication of a port's hellos. It contains the key, so use it only to compare."""
    file, context = FrrFile(frr.configuration), (f"interface {port}",)
    areas = (
        " ".join(line.words) for line in file.statements(("router ospf",)) if line.words[0] == "area" and "authentication" in line.words
    )
    return file.get(context, "ip ospf authentication"), file.get(context, KEY), tuple(sorted(areas))


def intended_authentication(site: Site) -> Authentication:
    """The authentication that the inventory sets for every port."""
    return ("message-digest", f"1 md5 {site.ospf_key.get_secret_value()}", ()) if site.ospf_key else (None, None, ())


def settings(port: OspfPort) -> dict[str, str]:
    """{setting: value} of the settings that have to be equal on both ends, as text."""
    return {
        "area": port.area,
        "hello": f"{port.hello_ms / 1000:g} s",
        "dead": f"{port.dead_s} s",
        "network type": port.network_type.lower(),
        "MTU": str(port.mtu_bytes),
    }


def differences(site: Site, facts: Facts, host: str, cable: Cable) -> Iterator[str]:
    """Each setting that differs between the two ends of a cable, with both values, if both were read. Keys are never shown."""
    near, far = cable.near(host), cable.far(host)
    here, there = frr_of(facts, host), frr_of(facts, far.host)
    if here is None:
        return
    own = here.ports.get(near.port)
    theirs = there.ports.get(far.port) if there else None
    if own and theirs:
        at_near, at_far = settings(own), settings(theirs)
        yield from (f"{what} differs: {at_near[what]} here, {at_far[what]} on {far}" for what in at_near if at_near[what] != at_far[what])
    wanted = authentication(there, far.port) if there and theirs else intended_authentication(site)
    if own and authentication(here, near.port) != wanted:
        yield f"authentication differs from {f'that of {far}' if theirs else 'the inventory'}"


def causes(site: Site, facts: Facts, host: str, cable: Cable) -> str:
    """Every known cause, as the end of a sentence; empty if there is none."""
    near, far = cable.near(host), cable.far(host)
    here, there = frr_of(facts, host), frr_of(facts, far.host)
    found = list(differences(site, facts, host, cable))
    for end, frr in ((near, here), (far, there)):
        if frr is not None and end.port in frr.down:
            found.append(f"{end} is down")
        elif frr is not None and end.port not in frr.ports:
            found.append(f"no OSPF on {end}")
    if here and there and here.router_id and here.router_id == there.router_id:
        found.append(f"router id {here.router_id} is also {far.host}'s")
    return f": {'; '.join(found)}" if found else ""
