"""Guards reads below /etc/pve: while it is not mounted because its daemon does not run, every file there seems to be absent."""

# Files that prove a Proxmox node: pvecm is in the package of the daemon that mounts /etc/pve; that daemon and corosync keep the other files
# elsewhere (pve-cluster: pmxcfs.c, PVE/Corosync.pm). If the daemon dies, the mount stays, and every access fails.
SCRIPT = r"""
if grep -qs ' /etc/pve ' /proc/mounts; then
  [ -e /etc/pve/. ] || {
    echo "/etc/pve is mounted but does not answer: \`systemctl restart pve-cluster\`, then run again" >&2; exit 1
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
NO_NODE = 'echo "/etc/pve is not mounted, and there is no pvecm: install Proxmox VE, or remove the host from its group" >&2; exit 1'
# Prefixes for a command that reads below /etc/pve: on any host, where a host that is no node has no such files, and on a required node.
OF_ANY_HOST = SCRIPT.replace("{no_node}", ":")
OF_A_NODE = SCRIPT.replace("{no_node}", NO_NODE)


def file_of_node(path: str) -> str:
    """The command that prints a file below /etc/pve on a node, and nothing if it is absent. An unreadable file is an error."""
    return f"{OF_A_NODE}[ ! -e {path} ] || cat {path}"
