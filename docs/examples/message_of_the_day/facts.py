"""The fact of the message of the day."""

from tasks.core.model.fact import text

MESSAGE = text("message", "/etc/motd")
