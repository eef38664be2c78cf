"""The rehearsal lab's replacements for Proxmox VE's commands pvecm, pveceph and pvesm. They use the real corosync and the real Ceph.

Their arguments, output, errors and files are those of Proxmox's manual pages, as far as Burrow needs them. They contain no code of Burrow,
and make no decision that Proxmox's commands do not make.
"""
