"""Packet forwarding and reverse-path filters of a router."""
