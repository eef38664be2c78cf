"""FRR: frr.conf and its daemons file."""
