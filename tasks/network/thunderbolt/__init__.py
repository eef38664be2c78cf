"""Thunderbolt networking."""
