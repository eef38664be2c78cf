"""Proxmox VE's firewall and the packets of the routed network."""
