"""NAPALM's getters, from the system's own JSON: each one is one exec, and a pure function parses its output."""

from napalm.base import constants, models

from napalm_ifupdown2 import bgp, clock, interfaces, neighbors, optics, probe, routes, system, trace
from napalm_ifupdown2.connection import Connection


class Getters(Connection):
    """NAPALM's getters for such a host. NAPALM's base class documents each one, the function that it calls has its limits."""

    def get_facts(self) -> models.FactsDict:
        """Vendor, model, names, version, uptime and interfaces of the machine."""
        return system.facts(self._outputs(*system.FACTS))

    def get_interfaces(self) -> dict[str, models.InterfaceDict]:
        """State, MTU, speed and MAC of each interface."""
        return interfaces.interfaces(*self._outputs(interfaces.LINKS, interfaces.SPEEDS))

    def get_interfaces_ip(self) -> dict[str, models.InterfacesIPDict]:
        """The addresses of each interface."""
        return interfaces.addresses(*self._outputs(interfaces.ADDRESSES))

    def get_interfaces_counters(self) -> dict[str, models.InterfaceCounterDict]:
        """The kernel's counters."""
        return interfaces.counters(*self._outputs(interfaces.COUNTERS))

    def get_vlans(self) -> dict[int, models.VlanDict]:  # type: ignore[override]
        """The VLANs in use."""
        return interfaces.vlans(*self._outputs(neighbors.VLAN_TABLE, interfaces.LINKS))

    def get_network_instances(self, name: str = "") -> dict[str, models.NetworkInstanceDict]:
        """The default instance and the VRFs."""
        [links] = self._outputs(interfaces.LINKS)
        return interfaces.network_instances(links, name)

    def get_lldp_neighbors(self) -> dict[str, list[models.LLDPNeighborDict]]:
        """The LLDP neighbours of each port."""
        return neighbors.lldp_neighbors(*self._outputs(neighbors.LLDP))

    def get_lldp_neighbors_detail(self, interface: str = "") -> models.LLDPNeighborsDetailDict:
        """All LLDP fields of each port's neighbours."""
        lldp, links = self._outputs(neighbors.LLDP, interfaces.LINKS)
        return neighbors.lldp_neighbors_detail(lldp, links, interface)

    def get_arp_table(self, vrf: str = "") -> list[models.ARPTableDict]:
        """IPv4 neighbours, of all VRFs or of one."""
        table, links = self._outputs(neighbors.ARP, interfaces.LINKS)
        return neighbors.arp_table(table, links, vrf)

    def get_ipv6_neighbors_table(self) -> list[models.IPV6NeighborDict]:
        """IPv6 neighbours."""
        return neighbors.ipv6_neighbors(*self._outputs(neighbors.NDP))

    def get_mac_address_table(self) -> list[models.MACAdressTable]:
        """The MAC addresses that the bridges have learnt."""
        return neighbors.mac_address_table(*self._outputs(neighbors.FDB))

    # NAPALM's annotation lacks the list that its docstring shows; that of get_vlans has strings for VLAN numbers.
    def get_route_to(  # type: ignore[override]
        self, destination: str = "", protocol: str = "", longer: bool = False
    ) -> dict[str, list[models.RouteDict]]:
        """Routes to a destination, or all."""
        commands = (*routes.commands(destination, longer=longer), routes.frr_command(destination, longer=longer), interfaces.LINKS)
        *answers, frr, links = self._outputs(*commands)
        return routes.routes_to(answers, frr, links, destination, protocol, longer=longer)

    def _bgp(self) -> str:
        """FRR's neighbours as it prints them; empty where bgpd does not run. Raises CommandErrorException if that cannot be told."""
        answer = self._read([bgp.NEIGHBORS])[bgp.NEIGHBORS]
        return self._successful({bgp.NEIGHBORS: answer})[0] if bgp.runs(answer) else ""

    def get_bgp_neighbors(self) -> dict[str, models.BGPStateNeighborsPerVRFDict]:
        """FRR's BGP neighbours in each VRF."""
        output = self._bgp()
        return bgp.neighbors(output) if output else {}

    # NAPALM's annotation lacks the AS numbers and lists that its docstring shows.
    def get_bgp_neighbors_detail(  # type: ignore[override]
        self, neighbor_address: str = ""
    ) -> dict[str, dict[int, list[models.PeerDetailsDict]]]:
        """All that FRR knows of each BGP neighbour, by VRF and AS."""
        output = self._bgp()
        return bgp.details(output, neighbor_address) if output else {}

    def get_optics(self) -> dict[str, models.OpticsDict]:
        """Light levels of the ports' optical modules."""
        _, modules = self._outputs(optics.VERSION, optics.MODULES)
        return optics.optics(modules)

    def get_ntp_servers(self) -> dict[str, models.NTPServerDict]:
        """The time servers of chrony's files."""
        return clock.ntp_servers(*self._outputs(clock.CONFIGURATION))

    def get_ntp_peers(self) -> dict[str, models.NTPPeerDict]:
        """The time peers of chrony's files."""
        return clock.ntp_peers(*self._outputs(clock.CONFIGURATION))

    def get_ntp_stats(self) -> list[models.NTPStats]:
        """Offset, delay and reachability of chrony's sources."""
        return clock.ntp_stats(*self._outputs(clock.SOURCES, clock.STATISTICS, clock.DETAILS))

    def get_environment(self) -> models.EnvironmentDict:
        """Memory and processor usage."""
        return system.environment(*self._outputs(system.CPU, system.MEMORY))

    def get_users(self) -> dict[str, models.UsersDict]:
        """The users that may log in."""
        return system.users(*self._outputs(*system.USERS))

    def ping(
        self,
        destination: str,
        source: str = constants.PING_SOURCE,
        ttl: int = constants.PING_TTL,
        timeout: int = constants.PING_TIMEOUT,
        size: int = constants.PING_SIZE,
        count: int = constants.PING_COUNT,
        vrf: str = constants.PING_VRF,
        source_interface: str = constants.PING_SOURCE_INTERFACE,
    ) -> models.PingResultDict:
        """Ping from the host."""
        command = probe.command(destination, source or source_interface, ttl, timeout, size, count, vrf)
        return probe.result(*self._outputs(command, deadline_s=self.timeout + count + timeout))

    def traceroute(
        self,
        destination: str,
        source: str = constants.TRACEROUTE_SOURCE,
        ttl: int = constants.TRACEROUTE_TTL,
        timeout: int = constants.TRACEROUTE_TIMEOUT,
        vrf: str = constants.TRACEROUTE_VRF,
    ) -> models.TracerouteResultDict:
        """The hops from the host to a destination."""
        command = trace.command(destination, source, ttl, timeout, vrf)
        return trace.result(*self._outputs(command, deadline_s=self.timeout + trace.longest_s(ttl, timeout)))
