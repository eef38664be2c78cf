"""Why the two ends of a routed cable do not become neighbours, as far as what was read tells; and who is who in OSPF."""

from collections.abc import Iterator

from inventory.site import Cable, Site
from tasks.core.model.fact import Facts
from tasks.network.ospf.facts import FRR, Frr, OspfPort
from tasks.network.ospf.parameters import KEY
from tasks.platforms.frr.frr_file import FrrFile

Authentication = tuple[str | None, str | None, tuple[str, ...]]


def frr_of(facts: Facts, host: str) -> Frr | None:
    """What FRR of a host said, None where it was not read: it is down, or not asked."""
    return facts[host][FRR] if host in facts and FRR.name in facts[host].readings else None


def routers(site: Site) -> dict[str, str]:
    """{host: router id} of the hosts with routed cables."""
    return {name: str(host.loopback.ip) for name, host in site.hosts.items() if host.loopback and any(site.routed(name))}


def called(site: Site, router_id: str) -> str:
    """The host with that router id, else the id itself."""
    return next((name for name, one in routers(site).items() if one == router_id), router_id)


def authentication(frr: Frr, port: str) -> Authentication:
    """What signs the hellos of a port, for comparing alone: it holds the key."""
    file, context = FrrFile(frr.configuration), (f"interface {port}",)
    areas = (
        " ".join(line.words) for line in file.statements(("router ospf",)) if line.words[0] == "area" and "authentication" in line.words
    )
    return file.get(context, "ip ospf authentication"), file.get(context, KEY), tuple(sorted(areas))


def intended_authentication(site: Site) -> Authentication:
    """What the inventory wants of every port."""
    return ("message-digest", f"1 md5 {site.ospf_key.get_secret_value()}", ()) if site.ospf_key else (None, None, ())


def settings(port: OspfPort) -> dict[str, str]:
    """What has to be the same on both ends, in words."""
    return {
        "area": port.area,
        "hello": f"{port.hello_ms / 1000:g} s",
        "dead": f"{port.dead_s} s",
        "network type": port.network_type.lower(),
        "MTU": str(port.mtu_bytes),
    }


def differences(site: Site, facts: Facts, host: str, cable: Cable) -> Iterator[str]:
    """Each setting in which the two ends of a cable differ, with both values, where both were read; keys are never shown."""
    near, far = cable.near(host), cable.far(host)
    here, there = frr_of(facts, host), frr_of(facts, far.host)
    if here is None:
        return
    own = here.ports.get(near.port)
    theirs = there.ports.get(far.port) if there else None
    if own and theirs:
        ours, others = settings(own), settings(theirs)
        yield from (f"{what} differs: {ours[what]} here, {others[what]} on {far}" for what in ours if ours[what] != others[what])
    wanted = authentication(there, far.port) if there and theirs else intended_authentication(site)
    if own and authentication(here, near.port) != wanted:
        yield f"authentication differs from {f'that of {far}' if theirs else 'the inventory'}"


def causes(site: Site, facts: Facts, host: str, cable: Cable) -> str:
    """Every cause that can be told, as the end of a sentence; empty where none can."""
    near, far = cable.near(host), cable.far(host)
    here, there = frr_of(facts, host), frr_of(facts, far.host)
    told = list(differences(site, facts, host, cable))
    for end, frr in ((near, here), (far, there)):
        if frr is not None and end.port in frr.down:
            told.append(f"{end} is down")
        elif frr is not None and end.port not in frr.ports:
            told.append(f"no OSPF on {end}")
    if here and there and here.router_id and here.router_id == there.router_id:
        told.append(f"router id {here.router_id} is {far.host}'s too")
    return f": {'; '.join(told)}" if told else ""
