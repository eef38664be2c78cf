"""NFS servers with an exports file."""
