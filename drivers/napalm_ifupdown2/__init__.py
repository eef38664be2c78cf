"""A NAPALM driver for hosts with ifupdown2 (and FRR): Debian, Proxmox VE, Cumulus-like switches."""

from napalm_ifupdown2.driver import Ifupdown2Driver

__all__ = ["Ifupdown2Driver"]
