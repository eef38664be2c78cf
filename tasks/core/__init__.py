"""The core: what a plan is, how it is applied, how hosts are reached, what the operator sees."""
