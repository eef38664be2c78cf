"""Ports, bonds, bridges, routing and the firewall."""
