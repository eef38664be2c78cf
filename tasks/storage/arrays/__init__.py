"""Arrays: the suite verifies them and never creates one."""
