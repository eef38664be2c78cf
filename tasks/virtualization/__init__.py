"""The Proxmox cluster."""
