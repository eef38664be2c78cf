"""Rules of addresses: each is unique, and in the subnet in which it is used."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from inventory.draft import Draft, end_of
from inventory.errors import Place, Problem
from inventory.rules.host import HYPERVISORS
from inventory.site import End


@dataclass(frozen=True)
class Assigned:
    """An address that a row assigns, what it is for, and its line. `gateway` is the host's gateway."""

    address: IPv4Interface
    what: str
    place: Place
    gateway: IPv4Address | None = None
    router_id: bool = False


def reaches(address: IPv4Interface, gateway: IPv4Address | None) -> bool:
    """Whether the gateway, if any, is another address of the same subnet."""
    return gateway is None or (gateway in address.network and gateway != address.ip)


def assigned(draft: Draft) -> Iterator[Assigned]:
    """Every address that a row sets. Addresses of point-to-point cables are derived, and unique by construction."""
    for host, row in draft.hosts.items():
        yield Assigned(row.address, f"{host} address", draft.at(host, "address"), row.gateway)
        if row.loopback is not None:
            yield Assigned(row.loopback, f"{host} loopback", draft.at(host, "loopback"), router_id=True)
        for name, port in row.ports.items():
            if port.address is not None:
                yield Assigned(port.address, f"{host} ports.{name}.address", draft.at(host, "ports", name, "address"))
    if draft.defaults is not None and draft.defaults.operator is not None:
        operator = draft.defaults.operator
        yield Assigned(operator.address, "operator address", draft.files["defaults"].place("operator", "address"), operator.gateway)


def addresses_are_unique(draft: Draft) -> Iterator[Problem]:
    """Each address is on one interface."""
    first: dict[IPv4Address, Assigned] = {}
    for each in assigned(draft):
        other = first.setdefault(each.address.ip, each)
        if other is not each and not (each.router_id and other.router_id):
            found = f"{each.address.ip}, which is '{other.what}' ({other.place.file.name}:{other.place.line})"
            yield Problem(each.place, each.what, "a unique address", found, "change one of the two addresses")


def router_ids_are_unique(draft: Draft) -> Iterator[Problem]:
    """Each router has its own router ID (RFC 2328, section 1.2), the address of its loopback."""
    first: dict[IPv4Address, Assigned] = {}
    for each in assigned(draft):
        if each.router_id and (other := first.setdefault(each.address.ip, each)) is not each:
            found = f"{each.address.ip}, which is '{other.what}' ({other.place.file.name}:{other.place.line})"
            yield Problem(each.place, each.what, "a unique router ID", found, "change one of the two loopbacks")


def loopbacks_are_single_addresses(draft: Draft) -> Iterator[Problem]:
    """A loopback is a /32: OSPF advertises it as a host route, and a shorter prefix would include its neighbors' addresses."""
    for each in assigned(draft):
        if each.router_id and each.address.network.prefixlen != 32:
            yield Problem(each.place, each.what, "a /32", str(each.address), f"write {each.address.ip}/32")


def addresses_are_usable(draft: Draft) -> Iterator[Problem]:
    """An address is unicast, in a subnet, and neither the network's nor the broadcast address (RFC 1122, section 3.2.1.3)."""
    for each in assigned(draft):
        if (reason := _unusable(each)) is not None:
            yield Problem(each.place, each.what, "an address that a host can have", f"{each.address}, {reason}", "correct the address")


def _unusable(each: Assigned) -> str | None:
    ip, network = each.address.ip, each.address.network
    if ip.is_multicast or ip.is_loopback or ip.is_unspecified or ip.is_reserved:
        return "which is not a unicast address"
    if each.router_id or network.prefixlen == 31:
        return None
    if network.prefixlen == 32:
        return "which is in no subnet"
    names = {network.network_address: "the network's own address", network.broadcast_address: "the broadcast address"}
    return f"{names[ip]} of {network}" if ip in names else None


def gateways_are_in_the_subnet(draft: Draft) -> Iterator[Problem]:
    """A gateway is another address of the host's subnet."""
    for host, row in draft.hosts.items():
        if reaches(row.address, row.gateway):
            continue
        if draft.files["hosts"].sets(host, "gateway"):
            place, what = draft.at(host, "gateway"), f"{host} gateway"
            yield Problem(place, what, f"another address of {row.address.network}", str(row.gateway), "correct the gateway or the address")
        else:
            place, what = draft.at(host, "address"), f"{host} address"
            wanted = f"an address in the subnet of its group's gateway {row.gateway}"
            yield Problem(place, what, wanted, str(row.address), "correct the address or the gateway, or set a gateway in the host's row")
    operator = draft.defaults.operator if draft.defaults is not None else None
    if operator is not None and not reaches(operator.address, operator.gateway):
        place, wanted = draft.files["defaults"].place("operator", "gateway"), f"another address of {operator.address.network}"
        yield Problem(place, "operator gateway", wanted, str(operator.gateway), "correct the gateway or the address")


def subnets_agree(draft: Draft) -> Iterator[Problem]:
    """Two subnets are equal or do not overlap. Of two that overlap, the problem is reported for the one with fewer addresses."""
    addresses = [each for each in assigned(draft) if not each.router_id and each.address.network.prefixlen < 32]
    ranking = [network for network, _ in Counter(each.address.network for each in addresses).most_common()]
    for each in addresses:
        mine = each.address.network
        other = next((network for network in ranking[: ranking.index(mine)] if network.overlaps(mine)), None)
        if other is not None and reaches(each.address, each.gateway):
            found = f"{each.address}, whose subnet overlaps it"
            yield Problem(each.place, each.what, f"the prefix of {other}, or a subnet outside it", found, "correct the prefix length")


def vms_are_in_their_nodes_subnet(draft: Draft) -> Iterator[Problem]:
    """A virtual machine's address is in its node's subnet, because its NIC is on the node's management bridge."""
    for host, row in draft.hosts.items():
        node = draft.hosts.get(row.vm.node) if row.vm is not None else None
        if row.vm is None or node is None or HYPERVISORS not in node.groups:
            continue
        if row.address.ip in node.address.network or not reaches(row.address, row.gateway):
            continue
        wanted = f"an address in {node.address.network}, the subnet of its node {row.vm.node}"
        yield Problem(draft.at(host, "address"), f"{host} address", wanted, str(row.address), "correct the address")


def operator_is_in_its_ports_subnet(draft: Draft) -> Iterator[Problem]:
    """The operator's address is in the subnet of its switch port, else of the bridge that the port is in."""
    operator = draft.defaults.operator if draft.defaults is not None else None
    if operator is None:
        return
    end = end_of(operator.port)
    row = draft.hosts.get(end.host)
    if row is None or end.port not in row.ports:
        return
    subnet = (row.ports[end.port].address or row.address).network
    if operator.address.ip not in subnet:
        place, wanted = draft.files["defaults"].place("operator", "address"), f"an address in {subnet}, the subnet of {end}"
        yield Problem(place, "operator address", wanted, str(operator.address), "correct the address or the port")


def cable_ends_share_a_subnet(draft: Draft) -> Iterator[Problem]:
    """If both ends of a cable have an address, these are in one subnet."""
    for index, cable in enumerate(draft.cables):
        near, far = (_address_at(draft, end) for end in cable.ends)
        if near is not None and far is not None and near.network != far.network and not near.network.overlaps(far.network):
            found = f"{near} and {far}"
            yield Problem(draft.at_cable(index), f"cable {cable}", "both ends in one subnet", found, "correct one of the two addresses")


def _address_at(draft: Draft, end: End) -> IPv4Interface | None:
    row = draft.hosts.get(end.host)
    if row is None or end.port not in row.ports:
        return None
    if row.management == end.port:
        return row.address if reaches(row.address, row.gateway) else None
    return row.ports[end.port].address


def point_to_point_networks_do_not_overlap(draft: Draft) -> Iterator[Problem]:
    """A point-to-point network overlaps no other network, because Burrow assigns its addresses automatically."""
    taken: list[tuple[IPv4Network, str]] = [(each.address.network, f"that of {each.what}") for each in assigned(draft)]
    for name, network in draft.networks.items():
        for other, whose in taken:
            if network.prefix.overlaps(other):
                place, found = draft.files["cables"].place("networks", name, "prefix"), f"{network.prefix}, which overlaps {other}, {whose}"
                yield Problem(place, f"networks {name}.prefix", "a network that overlaps no other", found, "choose another prefix")
                break
        taken.append((network.prefix, f"that of network {name}"))
