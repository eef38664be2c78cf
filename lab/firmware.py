"""A switch's firmware: it suspends LAG ports without a partner and runs LLDP; the core switch also serves names and time."""

from collections.abc import Iterator

from inventory.site import Host, Site
from lab.fresh import is_switch

UNITS = "/etc/systemd/system"
LLDP = """\
configure lldp portidsubtype ifname
configure lldp tx-interval 5
"""


def files(site: Site, host: Host) -> dict[str, str]:
    """{path: text} of the firmware's files, empty if the host is not a switch."""
    if not is_switch(host):
        return {}
    texts = {"etc/lldpd.d/firmware.conf": LLDP}
    if serves_site(site, host):
        names = "".join(f"{one.address.ip} {one.name}.{site.domain}\n" for one in site.hosts.values())
        texts["etc/lab/names"] = names
        # Listen on every address: dnsmasq can permanently miss an address that appears while it starts, even with bind-dynamic.
        texts["etc/lab/dnsmasq.conf"] = f"no-resolv\nno-hosts\naddn-hosts=/etc/lab/names\ndomain={site.domain}\nlocal=/{site.domain}/\n"
        texts["etc/lab/chrony.conf"] = "local stratum 10\nallow all\nport 123\ncmdport 0\npidfile /run/lab-time.pid\n"
    return texts


def units(site: Site, host: Host) -> Iterator[str]:
    """The units of the firmware that this host starts at boot."""
    if is_switch(host):
        yield from ("lldpd.service", "lab-switchd.service")
        if serves_site(site, host):
            yield from ("lab-names.service", "lab-time.service")


def serves_site(site: Site, host: Host) -> bool:
    """Whether the site's name servers are addresses of this host."""
    own = {port.address.ip for port in host.ports.values() if port.address} | {host.address.ip}
    return bool(site.name_servers) and own >= set(site.name_servers)
