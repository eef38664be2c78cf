"""Ports and gateway addresses of a switch."""
