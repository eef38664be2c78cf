"""Keys of the cluster's nodes."""
