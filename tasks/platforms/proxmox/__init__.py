"""Files that Proxmox VE shares between its nodes, and files that it writes itself."""
