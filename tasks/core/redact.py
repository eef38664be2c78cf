"""Keys of FRR's configuration, which no diff, log or record may show: here as on the host, whose tools repeat the lines they dislike."""

from tasks.core.host_part import KEYS, redact

__all__ = ["KEYS", "redact"]
