"""A NAPALM driver for hosts whose network is ifupdown2 (and FRR): Debian, Proxmox VE, Cumulus-like switches."""
