"""What to do about a live state that is not the intended one, where several checks say the same.

The network stage compares files with the inventory. What somebody changed on the running host alone leaves the files right: then it plans
nothing, and the files have to be made live again.
"""

_STAGE = "Run the network stage; where it plans nothing, the file is right and the host runs something else:"
AUDIT = "then audit again."
RELOAD_FRR = f"{_STAGE} `systemctl reload frr` there, {AUDIT}"
RELOAD_INTERFACES = f"{_STAGE} `ifreload -a` there, {AUDIT}"
RELOAD_EITHER = f"{_STAGE} `systemctl reload frr` there, for MTU and address `ifreload -a`, {AUDIT}"
# What FRR's reload sets is taken once the process is cleared (ospfd/ospf_vty.c).
NEW_ROUTER_ID = (
    f"{_STAGE} `systemctl reload frr` and `vtysh -c 'clear ip ospf process'` there, which begins every adjacency of that host anew; {AUDIT}"
)
