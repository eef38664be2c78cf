"""The SSH keys of the cluster's nodes."""
