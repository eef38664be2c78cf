"""The largest packets of ports, bonds and bridges."""
