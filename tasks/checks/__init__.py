"""WHETHER: statements about facts that are true when all is well."""
