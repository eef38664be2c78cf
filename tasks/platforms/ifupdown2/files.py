"""ifupdown2's file, how a candidate of it is checked, and how it becomes live."""

from tasks.core.model.fact import Fact, text
from tasks.core.model.operation import Action

INTERFACES = "/etc/network/interfaces"
# Somebody else's change is open where the hypervisor's own tools staged one (Proxmox VE, pve-network).
INTERFACES_STAGED = "/etc/network/interfaces.new"
INTERFACES_FACT = text("interfaces", INTERFACES)
STAGED_FACT: Fact[str] = text("interfaces_staged", INTERFACES_STAGED)
# ifupdown2 3.0 checks a candidate with `ifup -s -i`; `ifreload -s` would read the installed file.
IFRELOAD = Action(("ifreload", "-a"), ("ifreload", "-a"))
CHECK_INTERFACES = ("ifup", "-s", "-a", "-i", "{candidate}")
