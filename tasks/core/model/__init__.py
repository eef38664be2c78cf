"""Targets, facts, checks, changes, operations and plans as data. Pure."""
