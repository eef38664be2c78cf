"""Taking a router out of the paths of others before its links go down, and putting it back (RFC 6987: stub router)."""

from tasks.core.model.operation import Action

SAID = "max-metric router-lsa administrative"
# Metric 65535 on every link to another router, seen in the own LSA; and no neighbour that has not acknowledged it: then all have it.
DRAIN_SCRIPT = rf"""
systemctl -q is-active frr || exit 0
runs=$(vtysh -c 'show running-config') || exit 1
echo "$runs" | grep -q '^router ospf' || exit 0
vtysh -c 'configure terminal' -c 'router ospf' -c '{SAID}' || exit 1
tries=100
while [ $tries -gt 0 ]; do
  links=$(vtysh -c 'show ip ospf database router self-originate json') || exit 1
  total=$(echo "$links" | grep -c 'another Router')
  high=$(echo "$links" | grep -c '"tos0Metric":65535')
  others=$(vtysh -c 'show ip ospf neighbor detail json') || exit 1
  owed=$(echo "$others" | grep -c '"linkStateRetransmissionListCounter":[1-9]')
  [ "$total" = "$high" ] && [ "$owed" = 0 ] && exit 0
  tries=$((tries - 1))
  sleep 0.1
done
echo "OSPF's neighbours have not acknowledged the drain: $high of $total links at the highest metric, $owed acknowledgements missing" >&2
exit 1
"""
# A router whose own file says so stays out.
UNDRAIN_SCRIPT = rf"""
systemctl -q is-active frr || exit 0
grep -q '{SAID}' /etc/frr/frr.conf && exit 0
vtysh -c 'show running-config' | grep -q '{SAID}' || exit 0
vtysh -c 'configure terminal' -c 'router ospf' -c 'no {SAID}'
"""
_DRAIN, _UNDRAIN = ("/bin/sh", "-c", DRAIN_SCRIPT, "OSPF drain"), ("/bin/sh", "-c", UNDRAIN_SCRIPT, "OSPF undrain")
DRAIN = Action(_DRAIN, _UNDRAIN, early=True, shown="OSPF leads others' traffic round this host first, and back afterwards")
# What is taken back moves the links again; it is taken back also where nobody can be drained any more.
UNDRAIN = Action(_UNDRAIN, ("/bin/sh", "-c", f"({DRAIN_SCRIPT}) || true", "OSPF drain"))
