"""Arrays: verified, never made."""
