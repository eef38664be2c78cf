"""MTUs of ports, bonds and bridges."""
