"""NFS exports of a TrueNAS, by its API."""
