"""The interfaces that an interfaces file creates: by ifupdown2's addons, or by commands in the file. Pure."""

from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

# Attributes by which an addon of ifupdown2 creates the stanza's interface.
CREATING = frozenset(
    {"bond-slaves", "bond-ports", "bridge-ports", "bridge-vlan-aware", "mstpctl-ports", "vlan-raw-device", "vlan-id", "vxlan-id"}
    | {"bridge-vlan-vni-map", "link-type", "vrf-table", "tunnel-mode", "mode", "ovs-type", "xfrm-id", "batman-ifaces", "veth-peer-name"}
    | {"ppp-physdev"}
)
COMMANDS = ("pre-up", "up", "post-up")
# Words of commands that create an interface: ip link, ip tuntap, iw, brctl, ovs-vsctl, tunctl.
ADDING = frozenset({"add", "addbr", "add-br", "tunctl"})


def by_ifupdown2(file: InterfacesFile) -> set[str]:
    """The interfaces that ifupdown2 creates itself, and deletes when their stanza is gone."""
    return {one.iface for one in file.stanzas if one.iface and CREATING & {line.key for line in one.body}}


def may_be_by_command(file: InterfacesFile, name: str) -> bool:
    """Whether a command in the file may create this interface: its own `pre-up`, which may be any script, or one that adds this name."""
    for stanza in file.stanzas:
        for line in stanza.body:
            if line.key == "pre-up" and stanza.iface == name:
                return True
            if line.key in COMMANDS and ADDING & set(line.words) and name in (word.strip("'\";") for word in line.words):
                return True
    return False
