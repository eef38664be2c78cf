"""Commands to the cluster's monitors over one connection, like Proxmox's own library."""

import json
import sys
from typing import Any

from . import ceph_conf
from .options import PveError

sys.path.append("/usr/lib/python3/dist-packages")
import rados

CONNECT_S = 5
# The timeout of commands that change something.
LONG_S = 60


class Monitors:
    """A connection to the monitors, as client.admin."""

    def __init__(self, timeout_s: int = CONNECT_S) -> None:
        """Connect.

        Raises:
            PveError: No monitor answers in time.
        """
        self.timeout_s = timeout_s
        options = {"client_mount_timeout": str(timeout_s), "rados_mon_op_timeout": str(timeout_s)}
        try:
            self._link = rados.Rados(conffile=str(ceph_conf.PATH), name="client.admin", conf=options)
            self._link.connect(timeout=timeout_s)
        except rados.TimedOut:
            raise PveError("got timeout") from None
        except rados.Error as problem:
            raise PveError(f"rados_connect failed - {problem}") from problem

    def text(self, prefix: str, **arguments: Any) -> str:
        """A command's answer as text.

        Raises:
            PveError: The monitors refuse the command.
        """
        return self._ask({"prefix": prefix, "format": "plain", **arguments}).decode()

    def data(self, prefix: str, **arguments: Any) -> Any:
        """A command's answer as parsed JSON."""
        answer = self._ask({"prefix": prefix, "format": "json", **arguments})
        return json.loads(answer) if answer.strip() else None

    def binary(self, prefix: str) -> bytes:
        """A command's answer as bytes."""
        return self._ask({"prefix": prefix, "format": "plain"})

    def _ask(self, command: dict[str, Any]) -> bytes:
        code, answer, error = self._link.mon_command(json.dumps(command), b"", timeout=self.timeout_s)
        if code:
            raise PveError(f"error with '{command['prefix']}': mon_command failed - {error or code}")
        return bytes(answer)
