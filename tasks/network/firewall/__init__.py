"""Proxmox VE's firewall, as far as it concerns the routed network."""
