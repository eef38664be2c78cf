"""Ceph on the Proxmox cluster."""
