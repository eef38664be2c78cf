"""Storage: the exports of arrays, and Ceph."""
