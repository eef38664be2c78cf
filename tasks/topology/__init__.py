"""The topology: the cables of the inventory against what hosts see of them, as a picture."""
