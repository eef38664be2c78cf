# Makes the installed files of FRR live, run as `sh -c SCRIPT "frr reload"`. Ends with another code than 0 where FRR did not take them.
#
# Daemons come and go by the unit's own reload, which leaves those that stay alone and keeps the new ones in the unit; called by hand,
# `frrinit.sh reload` ends watchfrr, and systemd then starts all of FRR anew. Its exit code says nothing, so frr-reload.py is asked again:
# with the installed file, or it would write that anew in its own order. At its usual level it logs every line that it executes, keys too:
# what the unit's reload has added to the log is cut off again.
# A daemon that died comes back by watchfrr, with another process id and without its state.
systemctl -q is-active frr || exit 0
umask 077
ids() {
  for file in /run/frr/*.pid; do
    name=${file##*/} id=$(cat "$file")
    [ "$name" = watchfrr.pid ] || ! kill -0 "$id" 2>/dev/null || echo "${name%.pid} $id"
  done
}
names() { echo "$1" | sed 's/[- ].*//'; }
says() { sed -n "s/^\([a-z0-9]*d\)=\"\{0,1\}$1.*/\1/p" /etc/frr/daemons; }
said=/run/frr/burrow-reload
before=$(ids)
surplus=$(says no | grep -xF "$(names "$before")")
if [ -n "$surplus$(says yes | grep -vxF "$(names "$before")")" ]; then
  log=/var/log/frr/frr-reload.log size=$(stat -c %s /var/log/frr/frr-reload.log 2>/dev/null)
  systemctl reload frr
  code=$?
  [ ! -e $log ] || truncate -s "<${size:-0}" $log
  [ $code = 0 ] || exit 1
fi
/usr/lib/frr/frr-reload.py --log-level error --reload /etc/frr/frr.conf >$said 2>&1
code=$?
if [ $code != 0 ]; then
  grep -E '% |remove|Failure|rror' $said >&2 || tail -n 5 $said >&2
  exit $code
fi
# ospfd takes a new router id once its process is cleared: the daemon stays, every adjacency begins anew.
want=$(sed -n 's/^ *ospf router-id \([0-9.]*\).*/\1/p' /etc/frr/frr.conf)
have=$(vtysh -c 'show ip ospf json' 2>/dev/null | sed -n 's/^ *"routerId": *"\([0-9.]*\)".*/\1/p')
[ -z "$want" ] || [ -z "$have" ] || [ "$want" = "$have" ] || vtysh -c 'clear ip ospf process' || exit 1
after=$(ids)
echo "$before" | grep . | while read -r name id; do
  echo "$after" | grep -qx "$name $id" || echo "$surplus" | grep -qx "$name" && continue
  echo "FRR's $name died during the reload" >&2
  exit 1
done || exit 1
for name in $(says yes); do
  names "$after" | grep -qx "$name" && continue
  echo "FRR's $name did not start" >&2
  exit 1
done
