"""FRR's files, and the commands that check a candidate and apply the files."""

from pathlib import Path

from tasks.core.model.fact import text
from tasks.core.model.operation import Action, Unit

FRR_CONF, FRR_DAEMONS = "/etc/frr/frr.conf", "/etc/frr/daemons"
CONF_FACT, DAEMONS_FACT = text("frr_conf", FRR_CONF), text("frr_daemons", FRR_DAEMONS)
# FRR's files contain keys (Debian gives them this mode).
MODE = 0o640
# Checks the syntax only, and works while FRR does not run. For an invalid file, frr-reload.py's own --test reports "delete everything".
CHECK_FRR = ("vtysh", "-C", "-f", "{candidate}")
FRR_UNIT = Unit("frr.service")
FRR_RELOAD_SCRIPT = Path(__file__).with_name("reload.sh").read_text(encoding="utf-8")
_RELOAD = ("/bin/sh", "-c", FRR_RELOAD_SCRIPT, "frr reload")
FRR_RELOAD = Action(_RELOAD, _RELOAD)
# Forwarding switches that frr-reload.py turns on unless the file sets them.
FRR_FLIPS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")
