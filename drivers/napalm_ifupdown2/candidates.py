"""What ifupdown2's own syntax check lets through and would lose a host for: unknown attributes, ports that are not there, ports used twice."""

from collections.abc import Iterator

from tasks.core.interfaces_file import InterfacesFile, Stanza

# interfaces(5) and ifupdown-addons-interfaces(5) of ifupdown2 3.0 and of Proxmox's 3.3; families by their prefix.
ATTRIBUTES = frozenset(
    "address netmask broadcast gateway scope pointopoint preferred-lifetime hwaddress mtu alias link-type link-down link-speed link-duplex link-autoneg"
    " vlan-id vlan-raw-device vlan-protocol vrf vrf-table up down pre-up post-up pre-down post-down metric unit wait-delay"
    " accept-local rp-filter ip-forward ip6-forward mpls-enable arp-accept hostname vendor client slaves inherit ip-proxy-arp"
    " ovs-type ovs-bridge ovs-bonds ovs-ports ovs-options ovs-mtu".split()
)
FAMILIES = ("bond-", "bridge-", "vxlan-", "mstpctl-", "vrrp-", "dhcp-", "dhcp6-", "tunnel-", "address-virtual", "ethtool-", "es-", "evpn-", "clagd-")
KNOWN_BONDS = frozenset(
    "bond-slaves bond-mode bond-miimon bond-lacp-rate bond-xmit-hash-policy bond-min-links bond-lacp-bypass-allow bond-ad-sys-priority"
    " bond-ad-sys-mac-addr bond-ad-actor-sys-prio bond-ad-actor-system bond-use-carrier bond-num-grat-arp bond-num-unsol-na bond-updelay bond-downdelay bond-primary"
    " bond-primary-reselect bond-arp-ip-target bond-arp-interval bond-es-df-pref bond-ad-select bond-master".split()
)
VIRTUAL = ("bond-slaves", "bridge-ports", "vlan-raw-device", "vlan-id", "vxlan-id", "link-type", "slaves", "vrf-table", "tunnel-mode", "ovs-type")


def problems_of(text: str, ports: frozenset[str], before: str = "") -> list[str]:
    """What is wrong with an interfaces file on a host that has `ports`; lines that already stood there are left to their owner."""
    file, old = InterfacesFile(text), InterfacesFile(before)
    return [*_unknown_attributes(file, old), *_missing_ports(file, ports), *_ports_used_twice(file)]


def _known(attribute: str) -> bool:
    if attribute.startswith("bond-"):
        return attribute in KNOWN_BONDS
    return attribute in ATTRIBUTES or attribute.startswith(FAMILIES)


def _unknown_attributes(file: InterfacesFile, old: InterfacesFile) -> Iterator[str]:
    for stanza in file.stanzas:
        for line in stanza.body if stanza.iface else ():
            if line.key and not _known(line.key) and line.value not in old.get(stanza.iface or "", line.key):
                yield f"iface {stanza.iface}: ifupdown2 has no attribute `{line.words[0]}`; correct its spelling or take the line out"


def members_of(stanza: Stanza) -> tuple[str, ...]:
    """The ports that a bond or bridge takes; words like `none` and `regex` are not ports."""
    words = " ".join(value for key in ("bond-slaves", "bridge-ports", "slaves") for value in stanza.values(key)).split()
    return () if {"regex", "glob"} & set(words) else tuple(word for word in words if word != "none")


def _missing_ports(file: InterfacesFile, ports: frozenset[str]) -> Iterator[str]:
    made = {stanza.iface for stanza in file.stanzas if any(stanza.values(key) for key in VIRTUAL)}
    for stanza in file.stanzas:
        for port in members_of(stanza):
            if port not in ports and port not in made and "." not in port:
                yield f"iface {stanza.iface}: port {port} is not on this host, which has {' '.join(sorted(ports))}"


def _ports_used_twice(file: InterfacesFile) -> Iterator[str]:
    taken: dict[str, str] = {}
    for stanza in file.stanzas:
        for port in members_of(stanza):
            if port in taken and taken[port] != stanza.iface:
                yield f"port {port} is in {taken[port]} and in {stanza.iface}; a port belongs to one"
            taken[port] = stanza.iface or ""
