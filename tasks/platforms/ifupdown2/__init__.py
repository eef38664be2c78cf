"""/etc/network/interfaces, as ifupdown2 reads it."""
