"""ifupdown2's file, and the commands that check a candidate and apply the file."""

from tasks.core.model.fact import Fact, text
from tasks.core.model.operation import Action

INTERFACES = "/etc/network/interfaces"
# Proxmox VE's own tools stage a change in this file (pve-network). While it exists, another operator's change is open.
INTERFACES_STAGED = "/etc/network/interfaces.new"
INTERFACES_FACT = text("interfaces", INTERFACES)
STAGED_FACT: Fact[str] = text("interfaces_staged", INTERFACES_STAGED)
# ifupdown2 3.0 checks a candidate with `ifup -s -i`; `ifreload -s` would read the installed file.
IFRELOAD = Action(("ifreload", "-a"), ("ifreload", "-a"))
CHECK_INTERFACES = ("ifup", "-s", "-a", "-i", "{candidate}")
