"""The engine: facts in, diff out, transactions applied, checked, then confirmed or undone."""
