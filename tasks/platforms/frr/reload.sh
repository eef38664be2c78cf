# Applies FRR's installed files, run as `sh -c SCRIPT "frr reload"`. Exits with a code other than 0 if FRR did not apply them.
#
# The unit's own reload starts and stops daemons. It leaves the other daemons alone and keeps the new ones in the unit. Run by hand,
# `frrinit.sh reload` ends watchfrr, and systemd then restarts all of FRR. The unit's exit code proves nothing, so frr-reload.py runs again.
# It gets the installed file, because it would rewrite that one in its own order otherwise. At its default level it logs every line that it
# executes, keys too, so the script cuts off what the unit's reload has added to the log.
# watchfrr restarts a daemon that died, with another process id and without its state.
systemctl -q is-active frr || exit 0
umask 077
ids() {
  for file in /run/frr/*.pid; do
    name=${file##*/} id=$(cat "$file")
    [ "$name" = watchfrr.pid ] || ! kill -0 "$id" 2>/dev/null || echo "${name%.pid} $id"
  done
}
names() { echo "$1" | sed 's/[- ].*//'; }
set_to() { sed -n "s/^\([a-z0-9]*d\)=\"\{0,1\}$1.*/\1/p" /etc/frr/daemons; }
output=/run/frr/burrow-reload
before=$(ids)
surplus=$(set_to no | grep -xF "$(names "$before")")
if [ -n "$surplus$(set_to yes | grep -vxF "$(names "$before")")" ]; then
  log=/var/log/frr/frr-reload.log size=$(stat -c %s /var/log/frr/frr-reload.log 2>/dev/null)
  systemctl reload frr
  code=$?
  [ ! -e $log ] || truncate -s "<${size:-0}" $log
  [ $code = 0 ] || exit 1
fi
/usr/lib/frr/frr-reload.py --log-level error --reload /etc/frr/frr.conf >$output 2>&1
code=$?
if [ $code != 0 ]; then
  grep -E '% |remove|Failure|rror' $output >&2 || tail -n 5 $output >&2
  exit $code
fi
# ospfd applies a new router id when its process is cleared: the daemon stays, every adjacency restarts.
want=$(sed -n 's/^ *ospf router-id \([0-9.]*\).*/\1/p' /etc/frr/frr.conf)
have=$(vtysh -c 'show ip ospf json' 2>/dev/null | sed -n 's/^ *"routerId": *"\([0-9.]*\)".*/\1/p')
[ -z "$want" ] || [ -z "$have" ] || [ "$want" = "$have" ] || vtysh -c 'clear ip ospf process' || exit 1
after=$(ids)
echo "$before" | grep . | while read -r name id; do
  echo "$after" | grep -qx "$name $id" || echo "$surplus" | grep -qx "$name" && continue
  echo "FRR's $name died during the reload" >&2
  exit 1
done || exit 1
for name in $(set_to yes); do
  names "$after" | grep -qx "$name" && continue
  echo "FRR's $name did not start" >&2
  exit 1
done
