"""The two ends of a LAG: a node's bond and a switch's port channel."""
