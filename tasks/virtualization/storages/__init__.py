"""The storages of the Proxmox cluster."""
