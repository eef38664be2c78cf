"""Stand-ins of the rehearsal lab for Proxmox VE's commands pvecm, pveceph and pvesm, over the real corosync and the real Ceph.

Their arguments, output, errors and files are those of Proxmox's manual pages, as far as a suite has a use for them. They hold nothing of
the suite that the lab is for, and decide nothing that Proxmox's commands do not decide.
"""
