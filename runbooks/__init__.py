"""Runbooks: stages in their order."""
