"""Base settings of a Linux host."""
