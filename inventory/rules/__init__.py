"""The table of all rules between the rows of an inventory."""

from collections.abc import Callable, Iterator

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.rules import address as address_rules
from inventory.rules import bond as bond_rules
from inventory.rules import cable as cable_rules
from inventory.rules import ceph as ceph_rules
from inventory.rules import host as host_rules
from inventory.rules import mtu as mtu_rules
from inventory.rules import nfs as nfs_rules
from inventory.rules import ospf as ospf_rules
from inventory.rules import unused as unused_rules
from inventory.rules import vlan as vlan_rules

Rule = Callable[[Draft], Iterator[Problem]]

RULES: tuple[Rule, ...] = (
    host_rules.there_is_a_host,
    host_rules.groups_are_known,
    host_rules.hosts_are_complete,
    host_rules.links_fit_platforms,
    host_rules.unmanaged_hosts_are_switches,
    host_rules.ports_are_interfaces,
    host_rules.linux_names_fit_the_kernel,
    host_rules.interface_names_are_distinct,
    host_rules.pci_paths_are_unique,
    host_rules.disks_are_unique,
    host_rules.vmids_are_unique,
    host_rules.vms_run_on_hypervisors,
    address_rules.addresses_are_unique,
    address_rules.router_ids_are_unique,
    address_rules.loopbacks_are_single_addresses,
    address_rules.addresses_are_usable,
    address_rules.gateways_are_in_the_subnet,
    address_rules.subnets_agree,
    address_rules.vms_are_in_their_nodes_subnet,
    address_rules.operator_is_in_its_ports_subnet,
    address_rules.cable_ends_share_a_subnet,
    address_rules.point_to_point_networks_do_not_overlap,
    cable_rules.ends_are_known,
    cable_rules.ends_are_on_two_hosts,
    cable_rules.ends_are_used_once,
    cable_rules.operators_port_is_free,
    mtu_rules.mtus_are_equal,
    mtu_rules.large_packets_pass_every_cable_between,
    cable_rules.networks_are_known,
    cable_rules.networks_have_room,
    cable_rules.routed_ports_have_no_own_address,
    cable_rules.routers_have_ids,
    bond_rules.bonds_have_both_ends,
    bond_rules.bonds_have_two_members,
    bond_rules.bonds_join_two_ends,
    bond_rules.bond_members_have_no_address,
    mtu_rules.bond_members_share_an_mtu,
    bond_rules.bond_options_have_a_bond,
    bond_rules.only_switches_have_a_fallback,
    vlan_rules.management_vlans_exist,
    vlan_rules.management_vlans_are_on_bridges,
    ospf_rules.dead_interval_outlives_a_hello,
    ospf_rules.key_file_holds_a_key,
    ceph_rules.monitors_are_odd,
    ceph_rules.monitors_are_known,
    ceph_rules.storage_nodes_are_on_the_network,
    ceph_rules.pools_survive_a_loss,
    nfs_rules.servers_can_serve,
    nfs_rules.truenas_exports_have_no_other_options,
    nfs_rules.a_version_is_served,
    nfs_rules.the_nodes_own_version_is_served,
    nfs_rules.exports_are_in_an_array,
    nfs_rules.exports_have_clients,
    nfs_rules.clients_do_not_overlap,
    nfs_rules.squash_fits_the_purpose,
    nfs_rules.databases_keep_what_they_write,
    nfs_rules.a_client_can_write,
    nfs_rules.fsids_are_unique,
    nfs_rules.storages_can_be_made,
    nfs_rules.storage_names_are_unique,
    unused_rules.spanning_trees_have_a_bridge,
    unused_rules.loopbacks_are_used,
    unused_rules.pci_paths_are_of_routed_ports,
    unused_rules.networks_have_cables,
)
