"""Addresses of routed cables."""
