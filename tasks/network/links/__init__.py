"""A host's ports, bonds and bridges, and which interface uses which."""
