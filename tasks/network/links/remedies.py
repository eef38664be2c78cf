"""Remedies that several checks share, for a live state that differs from the intended one.

The network stage compares files with the inventory. If an operator changed the running host alone, the files are right. Then the stage
plans nothing, and the files have to be applied again.
"""

_STAGE = "Run the network stage. If it plans nothing, the file is right and the host runs something else:"
AUDIT = "then audit again."
RELOAD_FRR = f"{_STAGE} `systemctl reload frr` there, {AUDIT}"
RELOAD_INTERFACES = f"{_STAGE} `ifreload -a` there, {AUDIT}"
RELOAD_EITHER = f"{_STAGE} `systemctl reload frr` there, and `ifreload -a` for MTU and address, {AUDIT}"
# FRR applies a new router id only when the OSPF process is cleared (ospfd/ospf_vty.c).
NEW_ROUTER_ID = (
    f"{_STAGE} `systemctl reload frr` and `vtysh -c 'clear ip ospf process'` there, which restarts every adjacency of that host; {AUDIT}"
)
