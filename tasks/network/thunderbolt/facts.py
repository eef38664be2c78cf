"""What is known of Thunderbolt ports: their driver, and where each sits."""

from inventory.site import Site

DRIVER = "thunderbolt-net"

# The kernel makes a port only once both ends of its cable have the driver.
MODULES = ("thunderbolt", "thunderbolt_net")


def paths(site: Site, host: str) -> dict[str, str]:
    """{port: PCI path} of the routed ports whose name the kernel does not keep."""
    ports = site.hosts[host].ports
    names = (cable.near(host).port for cable in site.routed(host))
    return {name: path for name in names if (path := ports[name].pci_path)}
