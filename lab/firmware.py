"""What a switch brings along before anybody configures it: suspension of partnerless channels, LLDP, and on the core names and time."""

from collections.abc import Iterator

from inventory.site import Host, Site
from lab.fresh import is_switch

UNITS = "/etc/systemd/system"
LLDP = """\
configure lldp portidsubtype ifname
configure lldp tx-interval 5
"""


def files(site: Site, host: Host) -> dict[str, str]:
    """Path -> text of the firmware's own files; empty for what is no switch."""
    if not is_switch(host):
        return {}
    brought = {"etc/lldpd.d/firmware.conf": LLDP}
    if serves_site(site, host):
        names = "".join(f"{one.address.ip} {one.name}.{site.domain}\n" for one in site.hosts.values())
        brought["etc/lab/names"] = names
        # On every address: bound to one that comes while it starts, dnsmasq can miss it for good, bind-dynamic or not.
        brought["etc/lab/dnsmasq.conf"] = f"no-resolv\nno-hosts\naddn-hosts=/etc/lab/names\ndomain={site.domain}\nlocal=/{site.domain}/\n"
        brought["etc/lab/chrony.conf"] = "local stratum 10\nallow all\nport 123\ncmdport 0\npidfile /run/lab-time.pid\n"
    return brought


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
