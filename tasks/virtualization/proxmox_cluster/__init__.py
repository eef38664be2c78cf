"""The members of the Proxmox cluster."""
