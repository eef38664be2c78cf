"""NFS exports of a TrueNAS, through its API."""
