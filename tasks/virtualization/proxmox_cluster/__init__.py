"""The Proxmox cluster's members."""
