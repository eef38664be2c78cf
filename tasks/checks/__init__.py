"""The catalog of all checks."""
