"""Moves transit traffic away from a router before its links go down, and back afterwards (RFC 6987: stub router)."""

from tasks.core.model.operation import Action

STUB_ROUTER = "max-metric router-lsa administrative"
# Complete when the router's own LSA has metric 65535 on every link to another router, and every neighbour has acknowledged it.
DRAIN_SCRIPT = rf"""
systemctl -q is-active frr || exit 0
runs=$(vtysh -c 'show running-config') || exit 1
echo "$runs" | grep -q '^router ospf' || exit 0
vtysh -c 'configure terminal' -c 'router ospf' -c '{STUB_ROUTER}' || exit 1
tries=100
while [ $tries -gt 0 ]; do
  links=$(vtysh -c 'show ip ospf database router self-originate json') || exit 1
  total=$(echo "$links" | grep -c 'another Router')
  high=$(echo "$links" | grep -c '"tos0Metric":65535')
  others=$(vtysh -c 'show ip ospf neighbor detail json') || exit 1
  missing=$(echo "$others" | grep -c '"linkStateRetransmissionListCounter":[1-9]')
  [ "$total" = "$high" ] && [ "$missing" = 0 ] && exit 0
  tries=$((tries - 1))
  sleep 0.1
done
echo "OSPF's neighbours have not acknowledged the drain: $high of $total links at the highest metric, $missing acknowledgements missing" >&2
exit 1
"""
# A router whose own file makes it a stub router stays one.
UNDRAIN_SCRIPT = rf"""
systemctl -q is-active frr || exit 0
grep -q '{STUB_ROUTER}' /etc/frr/frr.conf && exit 0
vtysh -c 'show running-config' | grep -q '{STUB_ROUTER}' || exit 0
vtysh -c 'configure terminal' -c 'router ospf' -c 'no {STUB_ROUTER}'
"""
_DRAIN, _UNDRAIN = ("/bin/sh", "-c", DRAIN_SCRIPT, "OSPF drain"), ("/bin/sh", "-c", UNDRAIN_SCRIPT, "OSPF undrain")
DRAIN = Action(_DRAIN, _UNDRAIN, early=True, shown="OSPF moves transit traffic away from this host first, and back afterwards")
# An undo moves the links again, so it drains first. It continues even if the drain fails.
UNDRAIN = Action(_UNDRAIN, ("/bin/sh", "-c", f"({DRAIN_SCRIPT}) || true", "OSPF drain"))
