"""Rules of cables: each end is a port, and both ends agree."""

from collections.abc import Iterator

from inventory.draft import Draft, end_of
from inventory.errors import Problem
from inventory.models import Port
from inventory.rules.host import and_more
from inventory.site import End


def port_of(draft: Draft, end: End) -> Port | None:
    """The port at an end, None if the host or the port is unknown."""
    row = draft.hosts.get(end.host)
    return row.ports.get(end.port) if row is not None else None


def unknown(draft: Draft, end: End) -> tuple[str, str] | None:
    """The wanted and found texts for an unknown end. None if the port is known, or if the host is already reported."""
    if end.host in draft.invalid:
        return None
    if end.host not in draft.hosts:
        return "a host of hosts.yaml", f"'{end.host}'"
    if end.port not in draft.hosts[end.host].ports and draft.is_complete(end.host):
        return f"a port of {end.host} ({', '.join(draft.hosts[end.host].ports) or 'it has none'})", f"'{end.port}'"
    return None


def _without_ports(draft: Draft) -> dict[str, list[str]]:
    """{host: ports} of the hosts that lack several ports which the cables or the operator name: their ports are wrong, not the cables."""
    ends = [end for _, _, end in draft.ends()]
    if draft.defaults is not None and draft.defaults.operator is not None:
        ends.append(end_of(draft.defaults.operator.port))
    found: dict[str, list[str]] = {}
    for end in ends:
        if end.host in draft.hosts and unknown(draft, end) is not None:
            found.setdefault(end.host, []).append(end.port)
    return {host: sorted(set(ports)) for host, ports in found.items() if len(set(ports)) > 1}


def ends_are_known(draft: Draft) -> Iterator[Problem]:
    """Both ends of a cable are ports of hosts. A host that is unknown or lacks several ports is reported once."""
    lacking, strangers, reported = _without_ports(draft), draft.unknown_hosts, set[str]()
    for index, cable, end in draft.ends():
        if (wrong := unknown(draft, end)) is None or end.host in lacking or end.host in reported:
            continue
        wanted, found = wrong
        if end.host in strangers:
            reported.add(end.host)
            found += and_more(strangers[end.host] - 1, "row")
        yield Problem(draft.at_cable(index), f"cable {cable}", wanted, found, "correct the end, or add the row that it names")
    for host, ports in lacking.items():
        wanted, known = f"the ports that cables name: {', '.join(ports)}", ", ".join(draft.hosts[host].ports)
        place = draft.at(host, "ports") if known else draft.lacking_place(host)
        yield Problem(place, f"{host} ports", wanted, known or "none, here or in its groups", "add them, or correct the cables")


def ends_are_on_two_hosts(draft: Draft) -> Iterator[Problem]:
    """A cable joins two hosts."""
    for index, cable in enumerate(draft.cables):
        if cable.ends[0].host == cable.ends[1].host:
            found = f"both on {cable.ends[0].host}"
            yield Problem(draft.at_cable(index), f"cable {cable}", "ends on two hosts", found, "correct one of the ends")


def ends_are_used_once(draft: Draft) -> Iterator[Problem]:
    """Each port has one cable."""
    first: dict[End, int] = {}
    for index, cable, end in draft.ends():
        if first.setdefault(end, index) != index:
            found = f"{end}, which line {draft.at_cable(first[end]).line} uses"
            yield Problem(draft.at_cable(index), f"cable {cable}", "ends that no other cable uses", found, "correct one of the two rows")


def operators_port_is_free(draft: Draft) -> Iterator[Problem]:
    """No cable uses the port of the operator's machine, and the port is a host's."""
    if draft.defaults is None or draft.defaults.operator is None or not (draft.hosts or draft.invalid):
        return
    end = end_of(draft.defaults.operator.port)
    place = draft.files["defaults"].place("operator", "port")
    wrong = unknown(draft, end)
    if wrong is not None and end.host not in _without_ports(draft) and end.host not in draft.unknown_hosts:
        yield Problem(place, "operator port", *wrong, "correct the port, or add it to the host")
    for index, cable, other in draft.ends():
        if other == end:
            found = f"{end}, which cable {cable} uses (cables.yaml:{draft.at_cable(index).line})"
            yield Problem(place, "operator port", "a port that no cable uses", found, "correct the port or the cable")


def networks_are_known(draft: Draft) -> Iterator[Problem]:
    """A point-to-point cable's network is among the networks of cables.yaml. Each other name, and a file without any, is reported once."""
    rows: dict[str, list[int]] = {}
    for index, cable in enumerate(draft.cables):
        if cable.network is not None and cable.network not in draft.networks:
            rows.setdefault(cable.network if draft.networks else "", []).append(index)
    for first, *more in rows.values():
        wanted = f"a network of cables.yaml ({', '.join(draft.networks) or 'it has none'})"
        found = f"'{draft.cables[first].network}'{and_more(len(more), 'row')}"
        yield Problem(draft.at_cable(first), f"cable {draft.cables[first]}", wanted, found, "correct it, or add it to 'networks'")


def networks_have_room(draft: Draft) -> Iterator[Problem]:
    """A network has a /31 for each of its cables."""
    for index, cable in enumerate(draft.cables):
        if cable.network is not None and cable.network in draft.networks and cable.addresses is None:
            prefix = draft.networks[cable.network].prefix
            wanted, found = f"a free /31 in network {cable.network}", f"{prefix}, which the rows above use up"
            yield Problem(draft.at_cable(index), f"cable {cable}", wanted, found, "give the network a shorter prefix")


def routed_ports_have_no_own_address(draft: Draft) -> Iterator[Problem]:
    """The ends of a point-to-point cable take their addresses only from its network, and are in no bond."""
    for index, cable in enumerate(draft.cables):
        if cable.network is None:
            continue
        if cable.bonds != (None, None):
            place, remedy = draft.at_cable(index), "remove one of the two"
            yield Problem(place, f"cable {cable}", "either 'network' or 'bond'", "both", remedy)
        for end in cable.ends:
            port, row = port_of(draft, end), draft.hosts.get(end.host)
            if port is not None and row is not None and (port.address is not None or row.management == end.port):
                wanted, found = f"{end} to take its address from network {cable.network}", "its own address"
                yield Problem(draft.at_cable(index), f"cable {cable}", wanted, found, "remove the address or the network")


def routers_have_ids(draft: Draft) -> Iterator[Problem]:
    """A host with a point-to-point cable runs OSPF and needs a router ID, the address of its loopback."""
    seen: set[str] = set()
    for index, cable, end in draft.ends():
        row = draft.hosts.get(end.host)
        if cable.network is None or row is None or row.loopback is not None or end.host in seen:
            continue
        seen.add(end.host)
        found = f"no loopback, and a cable of network {cable.network} (cables.yaml:{draft.at_cable(index).line})"
        yield Problem(draft.at(end.host), end.host, "a router ID", found, "add 'loopback', a unique /32")
