"""Thunderbolt ports: their driver and their PCI paths."""

from inventory.site import Site

DRIVER = "thunderbolt-net"

# The kernel makes a port only if both ends of its cable have these drivers.
MODULES = ("thunderbolt", "thunderbolt_net")


def paths(site: Site, host: str) -> dict[str, str]:
    """{port: PCI path} of the routed ports that the inventory names by PCI path: the kernel's own names for them change."""
    ports = site.hosts[host].ports
    names = (cable.near(host).port for cable in site.routed(host))
    return {name: path for name in names if (path := ports[name].pci_path)}
