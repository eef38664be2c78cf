"""Whether Proxmox VE writes frr.conf itself: then a change of ours would be gone with its next `pvesh set /cluster/sdn`."""

from tasks.platforms.proxmox.mounted import OF_ANY_HOST

# Entities that make it do so (pve-network): routing controllers, and fabrics from Proxmox VE 9 on.
READ_SDN = f"{OF_ANY_HOST}cat /etc/pve/sdn/controllers.cfg /etc/pve/sdn/fabrics.cfg 2>/dev/null || true"


def generated_by_sdn(text: str) -> str:
    """The reason for a refusal, naming the entities; empty where there are none."""
    entities = [line.split("#")[0].strip() for line in text.splitlines() if line[:1].strip() and not line.startswith("#")]
    if not entities:
        return ""
    named = ", ".join(entities)
    return f"Proxmox's SDN writes /etc/frr/frr.conf for {named}: remove them from the SDN first, or put OSPF into a fabric there"
