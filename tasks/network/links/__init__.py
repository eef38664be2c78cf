"""What a host has of ports, bonds and bridges, and who holds them."""
