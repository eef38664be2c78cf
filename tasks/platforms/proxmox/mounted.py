"""What Proxmox keeps below /etc/pve says something only while that is mounted: without its daemon every file there reads as absent."""

# What proves a node: pvecm comes with the package of the daemon that mounts it; the other files are what that daemon and corosync keep
# elsewhere (pve-cluster: pmxcfs.c, PVE/Corosync.pm). Where the daemon has died the mount stays, and answers every question with an error.
SCRIPT = r"""
if grep -qs ' /etc/pve ' /proc/mounts; then
  [ -e /etc/pve/. ] || {
    echo "/etc/pve is mounted and does not answer: \`systemctl restart pve-cluster\`, then run again" >&2; exit 1
  }
else
  for proof in /etc/corosync/corosync.conf /etc/corosync/authkey /var/lib/pve-cluster/config.db /usr/bin/pvecm; do
    [ ! -s "$proof" ] || {
      echo "/etc/pve is not mounted, though $proof is there, so that it looks empty: see \`systemctl status pve-cluster\`," \
        "start it, then run again" >&2; exit 1
    }
  done
  {no_node}
fi
"""
NO_NODE = 'echo "/etc/pve is not mounted, and no pvecm is there: install Proxmox VE, or take the host out of its group" >&2; exit 1'
# What a command begins with that reads there: of any host, and of one that is to be a node. One that is no node has no such files.
OF_ANY_HOST = SCRIPT.replace("{no_node}", ":")
OF_A_NODE = SCRIPT.replace("{no_node}", NO_NODE)


def file_of_node(path: str) -> str:
    """The command that says a file of a node below /etc/pve, nothing where it is absent; one that cannot be read is an error."""
    return f"{OF_A_NODE}[ ! -e {path} ] || cat {path}"
