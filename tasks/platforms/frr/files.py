"""FRR's files, how a candidate of them is checked, and how they become live."""

from pathlib import Path

from tasks.core.model.fact import text
from tasks.core.model.operation import Action, Unit

FRR_CONF, FRR_DAEMONS = "/etc/frr/frr.conf", "/etc/frr/daemons"
CONF_FACT, DAEMONS_FACT = text("frr_conf", FRR_CONF), text("frr_daemons", FRR_DAEMONS)
# FRR's files hold keys (Debian gives them this mode).
MODES = {FRR_CONF: 0o640, FRR_DAEMONS: 0o640}
# Syntax alone, and FRR need not run: what frr-reload.py's own --test says of a file that cannot be parsed is "delete everything".
CHECK_FRR = ("vtysh", "-C", "-f", "{candidate}")
FRR_UNIT = Unit("frr.service")
FRR_RELOAD_SCRIPT = Path(__file__).with_name("reload.sh").read_text(encoding="utf-8")
_RELOAD = ("/bin/sh", "-c", FRR_RELOAD_SCRIPT, "frr reload")
FRR_RELOAD = Action(_RELOAD, _RELOAD)
# What frr-reload.py switches on by the way where the file is silent.
FRR_FLIPS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")
