"""Text as people may see it: without secrets, and without characters that control a terminal. All that leaves a run passes here."""

from typing import Any

from inventory.printable import LINES, printable
from tasks.core.agent.secrets import redact


def shown(text: str, keep: str = LINES) -> str:
    """The text without secrets, and with an escape for each character that is not printable and not in `keep`."""
    return printable(redact(text), keep)


def shown_data(value: Any) -> Any:
    """The same data with every text as `shown`."""
    if isinstance(value, dict):
        return {shown_data(key): shown_data(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [shown_data(below) for below in value]
    return shown(value) if isinstance(value, str) else value
