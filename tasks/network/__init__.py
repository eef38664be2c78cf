"""Ports, bonds and bridges, on both ends of a cable."""
