"""Whether Proxmox VE generates frr.conf itself: then its next `pvesh set /cluster/sdn` would overwrite our change."""

from tasks.core.agent.secrets import redact
from tasks.platforms.proxmox.mounted import OF_ANY_HOST

CONTROLLERS, FABRICS = "/etc/pve/sdn/controllers.cfg", "/etc/pve/sdn/fabrics.cfg"
# The entities for which it generates frr.conf (pve-network): routing controllers, and fabrics since Proxmox VE 9.
READ_SDN = f"{OF_ANY_HOST}for file in {CONTROLLERS} {FABRICS}; do [ ! -e $file ] || cat $file || exit 1; done"


def generated_by_sdn(text: str) -> str:
    """The reason for a refusal, with the entities; empty if there are none."""
    entities = [line.split("#")[0].strip() for line in text.splitlines() if line[:1].strip() and not line.startswith("#")]
    if not entities:
        return ""
    named = ", ".join(map(redact, entities))
    return f"Proxmox's SDN writes /etc/frr/frr.conf for {named}: remove them from the SDN first, or configure OSPF in an SDN fabric"
