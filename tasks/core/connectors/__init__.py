"""How a host or device is reached. All I/O with them is here."""
