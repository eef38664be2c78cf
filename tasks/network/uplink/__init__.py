"""The two ends of a LACP group: a node's bond, a switch's port channel."""
