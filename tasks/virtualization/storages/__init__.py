"""Storages that the Proxmox cluster registers."""
