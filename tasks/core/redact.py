"""Secrets of a host's configuration, which no diff, log or record may show: here as on the host, whose tools repeat bad lines."""

from tasks.core.host_part import redact

__all__ = ["redact"]
