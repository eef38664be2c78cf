"""The message that users read when they log in."""
