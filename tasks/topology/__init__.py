"""The topology: the inventory's cables against what hosts see of them, as a picture."""
