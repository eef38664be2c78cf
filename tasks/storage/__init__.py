"""Storage: what arrays and clusters serve to the site."""
